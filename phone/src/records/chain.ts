/**
 * What has become of a record, as one table: on this phone → received → accepted, or needs correction, or voided by staff.
 *
 * "Received" is only what the server itself confirmed: after each push it is asked for the revisions that it lacks.
 * It may also say that it lacks one it had (restored from a backup): then the record waits again, whatever its verdict was.
 */
import type { FormRecord, Verdict, VerdictStatus } from "../documents";

export type State = "waiting" | "received" | VerdictStatus | "voided";
export type Happening = "acknowledged" | "missing" | VerdictStatus | "voided";

const JUDGED: Partial<Record<Happening, State>> = {
  missing: "waiting",
  accepted: "accepted",
  accepted_with_warnings: "accepted_with_warnings",
  quarantined: "quarantined",
  returned: "returned",
  voided: "voided",
};

export const MOVES: Record<State, Partial<Record<Happening, State>>> = {
  waiting: { ...JUDGED, acknowledged: "received" },
  received: JUDGED,
  accepted: JUDGED,
  accepted_with_warnings: JUDGED,
  quarantined: JUDGED,
  returned: JUDGED,
  voided: JUDGED,
};

export const move = (state: State, happening: Happening): State => MOVES[state][happening] ?? state;

export function stateOf(acknowledged: boolean, verdict: Pick<Verdict, "status" | "voided"> | undefined): State {
  const received = acknowledged ? move("waiting", "acknowledged") : "waiting";
  return verdict ? move(received, verdict.voided ? "voided" : verdict.status) : received;
}

export const isFinal = (state: State) => state === "accepted" || state === "accepted_with_warnings" || state === "voided";
export const needsCorrection = (state: State) => state === "quarantined" || state === "returned";
/** What the district has not counted and will not, as it stands. */
export const isOut = (state: State) => needsCorrection(state) || state === "voided";
export const hasVerdict = (state: State) => isFinal(state) || needsCorrection(state);

export interface OwnRecord {
  record: FormRecord;
  state: State;
  verdict?: Verdict;
  /** The later record of this phone that replaces it. */
  replacedBy?: string;
}

export function chainOf(records: FormRecord[], receipts: ReadonlySet<string>, verdicts: ReadonlyMap<string, Verdict>): OwnRecord[] {
  const replacedBy = new Map<string, string>();
  for (const record of records) if (record.supersedes) replacedBy.set(record.supersedes, record._id);
  return records
    .map((record) => {
      const verdict = verdicts.get(record._id);
      const later = replacedBy.get(record._id);
      return { record, state: stateOf(receipts.has(record._id), verdict), ...(verdict && { verdict }), ...(later && { replacedBy: later }) };
    })
    .sort((a, b) => (a.record.captured_at < b.record.captured_at ? 1 : -1));
}

const DAY_MS = 24 * 3600 * 1000;

/**
 * Records that may leave the phone: accepted or voided, or replaced by one that was, and none of these verdicts younger than `retainDays`.
 * docs/backup.md promises that much to a district that restores a backup.
 */
export function leaving(own: OwnRecord[], retainDays: number, nowMs: number): FormRecord[] {
  const byId = new Map(own.map((each) => [each.record._id, each]));
  const since = ({ decided_at, voided }: Verdict): number => Date.parse(voided?.at ?? decided_at);
  const old = (each: OwnRecord): boolean => each.verdict !== undefined && nowMs - since(each.verdict) > retainDays * DAY_MS;
  const settled = (each: OwnRecord | undefined): boolean => each !== undefined && isFinal(each.state) && old(each);
  const done = (each: OwnRecord): boolean => settled(each) || (each.replacedBy !== undefined && settled(byId.get(each.replacedBy)));
  return own.filter((each) => old(each) && done(each)).map((each) => each.record);
}
