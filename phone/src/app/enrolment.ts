/** Turns a code into this phone's identity. */
import type { Identity } from "../storage/device";

export type EnrolFailure = "offline" | "unknown" | "used_or_expired" | "busy" | "server";
export type EnrolResult = { identity: Identity } | { failure: EnrolFailure };

const FAILURES: Record<number, EnrolFailure> = { 400: "unknown", 404: "unknown", 409: "used_or_expired", 410: "used_or_expired", 422: "unknown", 429: "busy" };

/** What was scanned or typed, as the server expects it: XXXX-XXXX. */
export function cleanCode(input: string): string {
  const fromAddress = /enrol=([^&\s]+)/i.exec(input)?.[1] ?? input;
  const letters = fromAddress.normalize("NFKC").toUpperCase().replace(/[^A-Z0-9]/g, "");
  return letters.length > 4 ? `${letters.slice(0, 4)}-${letters.slice(4, 8)}` : letters;
}

export const isWholeCode = (code: string) => /^[A-Z0-9]{4}-[A-Z0-9]{4}$/.test(code);

/** With the token of this phone's last enrolment, so that the server takes what waits from then as this phone's own. */
export async function enrol(code: string, label: string, previousToken?: string): Promise<EnrolResult> {
  let response: Response;
  try {
    response = await fetch("/api/v1/enrol", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ code, device_label: label, previous_token: previousToken }),
      signal: AbortSignal.timeout(20_000),
    });
  } catch {
    return { failure: "offline" };
  }
  if (response.ok) return { identity: (await response.json()) as Identity };
  return { failure: FAILURES[response.status] ?? "server" };
}

/** The device's villages and fillers as they are by now; undefined when the server did not say. */
export async function fetchIdentity(known: Identity): Promise<Identity | undefined> {
  const response = await fetch("/api/v1/device", { headers: { Authorization: `Bearer ${known.token}` }, signal: AbortSignal.timeout(20_000) });
  if (!response.ok) return undefined;
  return { ...((await response.json()) as Omit<Identity, "token">), token: known.token };
}

/** A name by which the district recognises the phone in its list. */
export function deviceLabel(agent = navigator.userAgent): string {
  const model = /Android[^;]*;\s*([^;)]+?)(?:\s+Build|\))/.exec(agent)?.[1];
  return (model ?? (/iPhone|iPad/.exec(agent)?.[0] || "Browser")).slice(0, 60);
}
