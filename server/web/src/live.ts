/**
 * The page follows the district's data: the server tells when something moved, the page fetches itself again in the background and
 * exchanges only the parts (`data-part`) that differ. Scroll, focus and what is being typed stay.
 */

const BUSY_MS = 2000;
const QUIET_MS = 1500; // a hundred phones syncing at once cost one fetch in this time

export function keepLive(afterChange: () => void): void {
  const lamp = document.querySelector<HTMLElement>("[data-live-lamp]");
  const address = document.body.dataset["events"];
  if (!lamp || !address || !document.querySelector("[data-part]")) {
    lamp?.setAttribute("hidden", "");
    return;
  }
  rememberParts(document);
  const refresh = oneAtATime(async () => {
    const page = await fetchPage();
    if (page === "signed-out") return showSignedOut(source);
    if (page && exchangeParts(document, page)) afterChange();
  });
  const source = listen(address, lamp, refresh);
  // What is under way moves without the district's data moving.
  setInterval(() => {
    if (!document.hidden && document.querySelector("[data-busy]")) refresh();
  }, BUSY_MS);
  followJob(refresh);
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) refresh();
  });
}

function listen(address: string, lamp: HTMLElement, refresh: () => void): EventSource {
  let known: string | undefined;
  const source = new EventSource(address);
  source.addEventListener("open", () => light(lamp, "on"));
  source.addEventListener("error", () => {
    light(lamp, "off");
    // Refused for good (the session ended): fetching the page finds out and says so.
    if (source.readyState === EventSource.CLOSED) refresh();
  });
  source.addEventListener("version", (event: MessageEvent<string>) => {
    const moved = known !== undefined && known !== event.data;
    known = event.data;
    if (moved && !document.hidden) refresh();
  });
  addEventListener("pagehide", () => source.close());
  return source;
}

/** A job that the page waits for: its progress is exchanged, and when it has ended the page shows what it made. */
function followJob(refresh: () => void): void {
  const address = document.querySelector<HTMLElement>("[data-job-events]")?.dataset["jobEvents"];
  if (!address) return;
  const source = new EventSource(address);
  source.addEventListener("moved", refresh);
  source.addEventListener("ended", () => {
    source.close();
    location.reload();
  });
  addEventListener("pagehide", () => source.close());
}

function light(lamp: HTMLElement, state: "on" | "off"): void {
  lamp.dataset["state"] = state;
  lamp.textContent = lamp.dataset[state] ?? "";
}

/** Runs `work` at most once per QUIET_MS and never twice at once; a call during the wait makes one more run at its end. */
function oneAtATime(work: () => Promise<void>): () => void {
  let busy = false;
  let again = false;
  const run = async (): Promise<void> => {
    if (busy) {
      again = true;
      return;
    }
    busy = true;
    await work().catch(() => undefined);
    setTimeout(() => {
      busy = false;
      if (again) {
        again = false;
        void run();
      }
    }, QUIET_MS);
  };
  return () => void run();
}

async function fetchPage(): Promise<Document | "signed-out" | undefined> {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" }, cache: "no-store" });
  if (answer.status === 401 || (answer.redirected && new URL(answer.url).pathname === "/sign-in")) return "signed-out";
  return answer.ok ? new DOMParser().parseFromString(await answer.text(), "text/html") : undefined;
}

/** The HTML that the server gave for a part; what stands in the page may differ by opened details and highlights. */
const given = new WeakMap<HTMLElement, string>();

function rememberParts(shown: Document): void {
  for (const part of shown.querySelectorAll<HTMLElement>("[data-part]")) given.set(part, part.innerHTML);
}

/** Puts the parts of `fetched` that differ in place of those on `shown`; true when any did. */
function exchangeParts(shown: Document, fetched: Document): boolean {
  let changed = false;
  for (const old of shown.querySelectorAll<HTMLElement>("[data-part]")) {
    const fresh = fetched.querySelector<HTMLElement>(`[data-part="${old.dataset["part"] ?? ""}"]`);
    if (!fresh || fresh.innerHTML === given.get(old)) continue;
    given.set(old, fresh.innerHTML);
    exchange(old, fresh);
    changed = true;
  }
  return changed;
}

function exchange(old: HTMLElement, fresh: HTMLElement): void {
  const focused = old.contains(document.activeElement) ? focusPath(document.activeElement) : undefined;
  const open = [...old.querySelectorAll("details")].map((details) => details.open);
  const scrolled = [...old.querySelectorAll(".table-frame")].map((frame) => frame.scrollLeft);
  const before = new Map([...old.querySelectorAll("[data-figure]")].map((element) => [element.getAttribute("data-figure"), element.textContent]));
  old.replaceChildren(...fresh.childNodes);
  old.querySelectorAll("details").forEach((details, index) => (details.open = open[index] ?? details.open));
  old.querySelectorAll(".table-frame").forEach((frame, index) => (frame.scrollLeft = scrolled[index] ?? 0));
  for (const element of old.querySelectorAll("[data-figure]")) {
    const was = before.get(element.getAttribute("data-figure"));
    if (was !== undefined && was !== element.textContent) element.classList.add("fresh");
  }
  if (focused) old.querySelector<HTMLElement>(focused)?.focus({ preventScroll: true });
}

function focusPath(element: Element | null): string | undefined {
  if (element?.id) return `#${CSS.escape(element.id)}`;
  const address = element?.getAttribute("href");
  return address ? `[href="${CSS.escape(address)}"]` : undefined;
}

function showSignedOut(source: EventSource): void {
  source.close();
  document.querySelector<HTMLElement>("[data-signed-out]")?.removeAttribute("hidden");
}
