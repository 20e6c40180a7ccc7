/**
 * Drafts: a form that somebody has begun, kept at every keystroke until it becomes a record.
 *
 * Finishing is three writes: the draft notes the id that its record will have, the record goes into the outbox, the draft goes.
 * Whoever is killed in between finds either a draft and no record (finish again) or a record and a draft that says so
 * (`settle` drops the draft). So a record is never lost and never doubled.
 */
import type { UnitKind } from "../lists/units";
import { read, readAll, remove, write } from "./keep";

export interface Draft {
  draft_id: string;
  form_id: string;
  form_version: string;
  village_code: string;
  filler_id: string;
  unit?: { kind: UnitKind; id: string; label: string };
  started_at: string;
  updated_ms: number;
  page: number;
  supersedes?: string;
  /** What the form session needs to go on. */
  snapshot?: unknown;
  /** What the unit answers by itself, on top of the form's defaults. */
  prefill?: Record<string, string>;
  initial?: { answers?: Record<string, unknown>; envelope?: Record<string, unknown> };
  /** The id of the record that it was being finished as. */
  finishing_as?: string;
}

export const newDraftId = (): string => crypto.randomUUID();
export const readDraft = (id: string) => read<Draft>("drafts", id);
export const readDrafts = () => readAll<Draft>("drafts");
export const writeDraft = (draft: Draft) => write("drafts", draft.draft_id, draft);
export const dropDraft = (id: string) => remove("drafts", id);

export const writeMedia = (draftId: string, name: string, content: Blob) => write("media", `${draftId}/${name}`, content, "strict");
export const readMedia = (draftId: string, name: string) => read<Blob>("media", `${draftId}/${name}`);

/** `record:<form_id>:<yyyymmdd>:<uuid>`; the uuid is the draft's own, so finishing twice makes one record. */
export function recordId(draft: Pick<Draft, "draft_id" | "form_id">, workDate: string): string {
  return `record:${draft.form_id}:${workDate.replaceAll("-", "")}:${draft.draft_id}`;
}

/** Drops the drafts whose record is in the outbox already; returns the others. */
export async function settle(drafts: Draft[], hasRecord: (draft: Draft) => Promise<boolean>, drop = dropDraft): Promise<Draft[]> {
  const open: Draft[] = [];
  for (const draft of drafts) {
    if (draft.finishing_as && (await hasRecord(draft))) await drop(draft.draft_id);
    else open.push(draft);
  }
  return open;
}

/**
 * Writes the latest state only, one write at a time: a keystroke never waits, and none is left unwritten.
 */
export class Saver<Value> {
  private next: Value | undefined;
  private running: Promise<void> | undefined;

  constructor(
    private readonly save: (value: Value) => Promise<void>,
    private readonly failed: (error: unknown) => void,
  ) {}

  put(value: Value): void {
    this.next = value;
    this.running ??= this.run();
  }

  /** Does not wait for the write before: the page is about to go. */
  hurry(): void {
    if (this.next === undefined) return;
    const value = this.next;
    this.next = undefined;
    void this.save(value).catch(this.failed);
  }

  /** Resolves when everything put so far is written. */
  async settled(): Promise<void> {
    while (this.running) await this.running;
  }

  private async run(): Promise<void> {
    while (this.next !== undefined) {
      const value = this.next;
      this.next = undefined;
      await this.save(value).catch(this.failed);
    }
    this.running = undefined;
  }
}
