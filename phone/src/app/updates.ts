/** The service worker: a new version waits until the reader says so, or until the app is opened anew without a form on screen. */
import { route } from "./route";
import { updateReady } from "./state";

let waiting: ServiceWorker | null = null;

export async function watchUpdates(): Promise<void> {
  if (!("serviceWorker" in navigator) || import.meta.env.DEV) return;
  let registration: ServiceWorkerRegistration;
  try {
    registration = await navigator.serviceWorker.register(`${import.meta.env.BASE_URL}sw.js`);
  } catch {
    // The network went before the app was whole: the next time there is one.
    addEventListener("online", () => void watchUpdates(), { once: true });
    return;
  }
  const offer = (worker: ServiceWorker | null) => {
    if (!worker || !navigator.serviceWorker.controller) return;
    waiting = worker;
    if (openedJustNow() && route.value.screen !== "form") applyUpdate();
    else updateReady.value = true;
  };
  offer(registration.waiting);
  registration.addEventListener("updatefound", () => {
    const worker = registration.installing;
    worker?.addEventListener("statechange", () => worker.state === "installed" && offer(worker));
  });
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") void registration.update().catch(() => undefined);
  });
}

/** Within the first seconds nobody has begun anything that a reload would interrupt. */
const openedJustNow = () => performance.now() < 4_000;

/** Drafts are kept at every keystroke, so a reload loses nothing; it happens once the new worker is in charge. */
export function applyUpdate(): void {
  navigator.serviceWorker.addEventListener("controllerchange", () => location.reload(), { once: true });
  waiting?.postMessage({ type: "SKIP_WAITING" });
}
