/** Reads a QR or bar code with the camera; typing is always possible beside it. */
import { useEffect, useRef, useState } from "preact/hooks";
import { t } from "../i18n";
import { Sheet } from "./parts";

type Detect = (video: HTMLVideoElement) => Promise<string | undefined>;
interface Detector {
  detect(source: HTMLVideoElement): Promise<{ rawValue: string }[]>;
}
declare global {
  interface Window {
    BarcodeDetector?: new () => Detector;
  }
}

const LOOK_EVERY_MS = 180;
const WIDTH_PX = 640;

async function detector(): Promise<Detect> {
  if (window.BarcodeDetector) {
    const native = new window.BarcodeDetector();
    return async (video) => (await native.detect(video))[0]?.rawValue;
  }
  const { default: jsqr } = await import("jsqr");
  const canvas = document.createElement("canvas");
  const context = canvas.getContext("2d", { willReadFrequently: true });
  return async (video) => {
    canvas.width = WIDTH_PX;
    canvas.height = Math.round((WIDTH_PX * video.videoHeight) / Math.max(1, video.videoWidth));
    if (!context || !canvas.height) return undefined;
    context.drawImage(video, 0, 0, canvas.width, canvas.height);
    return jsqr(context.getImageData(0, 0, canvas.width, canvas.height).data, canvas.width, canvas.height)?.data;
  };
}

/** Resolves to a function that stops the camera. */
async function watch(video: HTMLVideoElement, found: (code: string) => void): Promise<() => void> {
  const stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
  video.srcObject = stream;
  await video.play();
  const detect = await detector();
  let stopped = false;
  const look = async (): Promise<void> => {
    if (stopped) return;
    const code = await detect(video).catch(() => undefined);
    if (code && !stopped) return found(code);
    setTimeout(() => void look(), LOOK_EVERY_MS);
  };
  void look();
  return () => {
    stopped = true;
    for (const track of stream.getTracks()) track.stop();
  };
}

export function Scanner({ found, close }: { found: (code: string) => void; close: () => void }) {
  const video = useRef<HTMLVideoElement>(null);
  const [failed, setFailed] = useState(false);
  const [typed, setTyped] = useState("");
  useEffect(() => {
    let stop: (() => void) | undefined;
    let left = false;
    const camera = video.current && navigator.mediaDevices ? watch(video.current, found) : Promise.reject(new Error("no camera"));
    camera.then(
      (stopper) => (left ? stopper() : (stop = stopper)),
      () => setFailed(true),
    );
    return () => {
      left = true;
      stop?.();
    };
  }, []);
  return (
    <Sheet title={t("scan")} close={close} tall>
      <div class="viewfinder">
        <video ref={video} muted playsInline hidden={failed} />
        <p role="status">{failed ? t("scan_failed") : t("scan_title")}</p>
      </div>
      <form
        class="row-form"
        onSubmit={(event) => {
          event.preventDefault();
          if (typed.trim()) found(typed.trim());
        }}
      >
        <input value={typed} aria-label={t("scan_type")} placeholder={t("scan_type")} autocomplete="off" onInput={(event) => setTyped(event.currentTarget.value)} />
        <button type="submit" class="primary">
          {t("scan_use")}
        </button>
      </form>
    </Sheet>
  );
}
