/** Every request of the replication passes here: the device's token goes along, the server's clock and refusals come back. */

export interface Contact {
  /** A true answer of the server, with how far this phone's clock is ahead of it. */
  reached(clockSkewS: number): void;
  revoked(): void;
}

/** Whoever answers here tells its uuid; PouchDB asks at the beginning of every replication. */
const WELCOME = "/sync/";

const LONGPOLL_MS = 50_000;
const REQUEST_MS = 120_000;

/** PouchDB has no time limit of its own; a feed behind a silent proxy would hang for good. */
export const LIVE = { live: true, retry: false, heartbeat: false, timeout: LONGPOLL_MS } as const;

function limitMs(url: string): number {
  return url.includes("feed=longpoll") ? LONGPOLL_MS + 25_000 : REQUEST_MS;
}

function anySignal(given: AbortSignal | null | undefined, ms: number): AbortSignal {
  const timed = AbortSignal.timeout(ms);
  return given && "any" in AbortSignal ? AbortSignal.any([given, timed]) : (given ?? timed);
}

async function uuidOf(welcome: Response): Promise<string> {
  return ((await welcome.clone().json()) as { uuid: string }).uuid;
}

/** `answering` hears the uuid of the server whenever that is asked for. */
export function transport(token: string, contact: Contact, answering: (server: string) => void): typeof fetch {
  return async (input, init = {}) => {
    const url = typeof input === "string" ? input : input instanceof URL ? input.href : input.url;
    const headers = new Headers(init.headers);
    headers.set("Authorization", `Bearer ${token}`);
    const response = await fetch(url, { ...init, headers, credentials: "omit", signal: anySignal(init.signal, limitMs(url)) });
    const date = Date.parse(response.headers.get("Date") ?? "");
    if (response.status === 401) contact.revoked();
    else if (response.ok && !Number.isNaN(date)) contact.reached(Math.round((Date.now() - date) / 1000));
    if (response.ok && url.endsWith(WELCOME)) answering(await uuidOf(response));
    return response;
  };
}
