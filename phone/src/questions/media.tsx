import { useEffect, useRef, useState } from "preact/hooks";
import { t } from "../i18n";
import { photoLimits, shrinkPhoto, signaturePicture } from "../media/photo";
import { Icon } from "../widgets/parts";
import type { Ask } from "./ask";

/** An address for the attachment that is the answer; freed when it changes. */
function useMedia(ask: Ask): string | undefined {
  const [address, setAddress] = useState<string | undefined>(undefined);
  const name = typeof ask.field.value === "string" ? ask.field.value : "";
  useEffect(() => {
    let made: string | undefined;
    let left = false;
    if (name)
      void ask.media(name).then((content) => {
        if (content && !left) setAddress((made = URL.createObjectURL(content)));
      });
    else setAddress(undefined);
    return () => {
      left = true;
      if (made) URL.revokeObjectURL(made);
    };
  }, [name]);
  return name ? address : undefined;
}

export function PhotoQuestion({ ask }: { ask: Ask }) {
  const [state, setState] = useState<"ready" | "working" | "failed">("ready");
  const picture = useMedia(ask);
  const take = async (input: HTMLInputElement) => {
    const file = input.files?.[0];
    input.value = "";
    if (!file) return;
    setState("working");
    try {
      await ask.attach(await shrinkPhoto(file, photoLimits(ask.field.parameters)), "jpg");
      setState("ready");
    } catch {
      setState("failed");
    }
    ask.touch();
  };
  return (
    <div class="photo">
      {picture && <img src={picture} alt={ask.field.label} />}
      <div class="with-key">
        <label class="file">
          <input id={ask.id} type="file" accept="image/*" capture="environment" aria-describedby={ask.describedBy} disabled={ask.field.readOnly} onChange={(event) => void take(event.currentTarget)} />
          <span>
            <Icon name="camera" />
            {state === "working" ? t("image_working") : ask.field.value ? t("image_again") : t("image_take")}
          </span>
        </label>
        {ask.field.value !== undefined && (
          <button type="button" class="key" aria-label={t("clear")} onClick={() => ask.set(undefined)}>
            <Icon name="trash" />
          </button>
        )}
      </div>
      {state === "failed" && <p role="alert">{t("image_failed")}</p>}
    </div>
  );
}

const PEN_PX = 3;

export function SignatureQuestion({ ask }: { ask: Ask }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const drawing = useRef(false);
  const kept = useMedia(ask);
  useEffect(() => {
    const surface = canvas.current;
    if (!surface) return;
    surface.width = surface.clientWidth * 2;
    surface.height = surface.clientHeight * 2;
    if (!kept) return;
    const picture = new Image();
    picture.onload = () => surface.getContext("2d")?.drawImage(picture, 0, 0, surface.width, surface.height);
    picture.src = kept;
  }, [kept === undefined]);
  const at = (event: PointerEvent): [number, number] => {
    const box = canvas.current!.getBoundingClientRect();
    return [(event.clientX - box.left) * 2, (event.clientY - box.top) * 2];
  };
  const start = (event: PointerEvent) => {
    const pen = canvas.current?.getContext("2d");
    if (!pen || ask.field.readOnly) return;
    canvas.current?.setPointerCapture(event.pointerId);
    drawing.current = true;
    Object.assign(pen, { lineWidth: PEN_PX * 2, lineCap: "round", lineJoin: "round", strokeStyle: "#12241f" });
    pen.beginPath();
    pen.moveTo(...at(event));
  };
  const draw = (event: PointerEvent) => {
    const pen = canvas.current?.getContext("2d");
    if (!drawing.current || !pen) return;
    pen.lineTo(...at(event));
    pen.stroke();
  };
  const end = async () => {
    if (!drawing.current || !canvas.current) return;
    drawing.current = false;
    await ask.attach(await signaturePicture(canvas.current), "png");
    ask.touch();
  };
  const clear = () => {
    canvas.current?.getContext("2d")?.clearRect(0, 0, canvas.current.width, canvas.current.height);
    ask.set(undefined);
  };
  return (
    <div class="signature">
      <canvas ref={canvas} id={ask.id} role="img" aria-label={t("signature_hint")} aria-describedby={ask.describedBy} onPointerDown={start} onPointerMove={draw} onPointerUp={() => void end()} onPointerCancel={() => void end()} />
      <div class="with-key">
        <p>{t("signature_hint")}</p>
        <button type="button" class="key" onClick={clear}>
          {t("clear")}
        </button>
      </div>
    </div>
  );
}

const DEFAULT_SECONDS = 60;
const AUDIO_BITS_PER_S = 24_000;

export function AudioQuestion({ ask }: { ask: Ask }) {
  const [left, setLeft] = useState<number | undefined>(undefined);
  const [failed, setFailed] = useState(false);
  const stop = useRef<() => void>(() => undefined);
  const sound = useMedia(ask);
  useEffect(() => () => stop.current(), []);
  const record = async () => {
    setFailed(false);
    let stream: MediaStream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ audio: true });
    } catch {
      return setFailed(true);
    }
    const parts: Blob[] = [];
    const recorder = new MediaRecorder(stream, { audioBitsPerSecond: AUDIO_BITS_PER_S });
    const longest = Number(ask.field.parameters?.["max-seconds"]) || DEFAULT_SECONDS;
    const started = performance.now();
    const clock = setInterval(() => {
      const rest = Math.ceil(longest - (performance.now() - started) / 1000);
      setLeft(Math.max(0, rest));
      if (rest <= 0) stop.current();
    }, 250);
    recorder.ondataavailable = (event) => parts.push(event.data);
    recorder.onstop = () => {
      clearInterval(clock);
      for (const track of stream.getTracks()) track.stop();
      setLeft(undefined);
      const type = recorder.mimeType.split(";")[0] || "audio/webm";
      void ask.attach(new Blob(parts, { type }), type.includes("mp4") ? "m4a" : type.includes("ogg") ? "ogg" : "webm").then(ask.touch);
    };
    stop.current = () => recorder.state === "recording" && recorder.stop();
    setLeft(longest);
    recorder.start();
  };
  return (
    <div class="audio">
      {sound && left === undefined && <audio controls src={sound} />}
      <div class="with-key">
        <button type="button" id={ask.id} class="secondary grow" aria-labelledby={`${ask.id}-label ${ask.id}`} aria-describedby={ask.describedBy} onClick={() => (left === undefined ? void record() : stop.current())}>
          <Icon name="mic" />
          {left === undefined ? t("audio_start") : `${t("audio_stop")} · ${t("audio_left", { n: left })}`}
        </button>
        {sound && left === undefined && (
          <button type="button" class="key" aria-label={t("clear")} onClick={() => ask.set(undefined)}>
            <Icon name="trash" />
          </button>
        )}
      </div>
      {failed && <p role="alert">{t("audio_failed")}</p>}
    </div>
  );
}
