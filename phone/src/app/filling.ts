/** A form being filled: begun from a unit or from a record to correct, kept as a draft, finished as a record. */
import { openForm, type Answers, type CompiledForm, type FieldState, type FormContext, type FormSession } from "../forms";
import { beijingDay } from "../clock";
import type { FormRecord } from "../documents";
import type { OwnRecord } from "../records/chain";
import { recordMedia, type KeptRecord } from "../records/outbox";
import { prefill, unitOf, unitQuestion, type UnitKind } from "../lists/units";
import { dropDraft, newDraftId, readDraft, readMedia, recordId, Saver, writeDraft, writeMedia, type Draft } from "../storage/drafts";
import { entryLabel, formOf, lookUp, unitLabel } from "./names";
import { keepRecord, now, nowMs, reloadDrafts } from "./phone";
import * as state from "./state";

export interface Filling {
  draft: Draft;
  form: CompiledForm;
  session: FormSession;
  saver: Saver<Draft>;
  release(): void;
}

const context = (): FormContext => ({
  today: () => beijingDay(nowMs()),
  now,
  settings: state.settings.value,
  list: lookUp,
  lang: state.lang.value,
});

function envelope(started_at: string): Record<string, unknown> {
  const filler = state.filler.value;
  const village = state.register.value.held.village;
  const entries: [string, unknown][] = [
    ["device_id", state.identity.value?.device_id],
    ["filler_id", state.fillerId.value],
    ["filler_role", filler?.role],
    ["village_code", state.villageCode.value],
    ["town_code", village?.town_code ?? state.villageCode.value.slice(0, 9)],
    ["grid_code", filler?.grid_code],
    ["started_at", started_at],
  ];
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined && value !== ""));
}

function newDraft(form: CompiledForm, initial: Draft["initial"], unit: Draft["unit"]): Draft {
  const started_at = now();
  return {
    draft_id: newDraftId(),
    form_id: form.form_id,
    form_version: form.version,
    village_code: state.villageCode.value,
    filler_id: state.fillerId.value,
    ...(unit && { unit }),
    started_at,
    updated_ms: nowMs(),
    page: 0,
    initial: { ...(initial?.answers && { answers: initial.answers }), envelope: { ...envelope(started_at), form_id: form.form_id, form_version: form.version, ...initial?.envelope } },
  };
}

/** Returns the new draft's id. The unit's grid goes along when the register knows it. */
export async function begin(form: CompiledForm, unit?: { kind: UnitKind; id: string }): Promise<string> {
  const held = state.register.value.held;
  const entry = unit && (unit.kind === "household" ? held.households : unit.kind === "point" ? held.points : held.roster).get(unit.id);
  const grid = (entry as { grid_code?: string } | undefined)?.grid_code;
  const answers = entry ? prefill(form, entry as unknown as Record<string, unknown>) : {};
  const draft = newDraft(form, { envelope: grid ? { grid_code: grid } : {} }, unit && { ...unit, label: entryLabel(entry as never) || unit.id });
  draft.prefill = answers;
  await writeDraft(draft);
  await reloadDrafts();
  return draft.draft_id;
}

const CARRIED = ["work_date", "entry_mode", "paper_ref", "gps", "remark", "grid_code"];

/** A new draft with the record's answers, its photos included, that will supersede it. */
export async function beginCorrection({ record }: OwnRecord): Promise<string | undefined> {
  const form = formOf(record.form_id, record.form_version);
  if (!form) return undefined;
  const carried = Object.fromEntries(CARRIED.filter((name) => record[name] !== undefined).map((name) => [name, record[name]]));
  const id = recordUnit(record);
  const draft = newDraft(form, { answers: record.answers as Record<string, unknown>, envelope: { ...carried, supersedes: record._id } }, id && { ...id, label: unitLabel(id.kind, id.id) });
  draft.supersedes = record._id;
  for (const name of Object.keys((record as KeptRecord)._attachments ?? {})) {
    await writeMedia(draft.draft_id, name, await recordMedia(record.village_code, record._id, name));
  }
  await writeDraft(draft);
  await reloadDrafts();
  return draft.draft_id;
}

/** A tombstone: a record with the same answers that withdraws the first one. */
export async function withdraw({ record }: OwnRecord, reason: string): Promise<void> {
  const form = formOf(record.form_id, record.form_version);
  const started_at = now();
  const id = newDraftId();
  const kept = { ...record } as Record<string, unknown>;
  for (const name of ["_rev", "_attachments", "remark"]) delete kept[name];
  const tombstone: FormRecord = {
    ...(kept as FormRecord),
    ...envelope(started_at),
    _id: recordId({ draft_id: id, form_id: form?.form_id ?? record.form_id }, record.work_date),
    started_at,
    captured_at: started_at,
    ended_at: started_at,
    ...skew(),
    supersedes: record._id,
    correction_reason: reason,
    voided: true,
    answers: withoutMedia(record.answers, Object.keys((record as KeptRecord)._attachments ?? {})),
  };
  await keepRecord(tombstone, new Map());
}

function withoutMedia(answers: Answers, media: string[]): Answers {
  const kept: Answers = {};
  for (const [name, value] of Object.entries(answers)) {
    if (typeof value === "string" && media.includes(value)) continue;
    kept[name] = Array.isArray(value) && typeof value[0] === "object" ? (value as Answers[]).map((row) => withoutMedia(row, media)) : value;
  }
  return kept;
}

export function recordUnit(record: Pick<FormRecord, "form_id" | "form_version" | "answers">): { kind: UnitKind; id: string } | undefined {
  const form = formOf(record.form_id, record.form_version) ?? state.currentForms.value.find((each) => each.form_id === record.form_id);
  const kind = form && unitOf(form);
  const id = form && record.answers[unitQuestion(form) ?? ""];
  return kind && typeof id === "string" && id ? { kind, id } : undefined;
}

function skew(): { clock_skew_s?: number } {
  return state.clockSkewS.value === undefined ? {} : { clock_skew_s: state.clockSkewS.value };
}

export type OpenTrouble = "draft_missing" | "draft_other_tab" | "draft_no_form";

const inside = (field: FieldState, path: string): boolean =>
  field.path === path ||
  Boolean(field.children?.some((child) => inside(child, path))) ||
  Boolean(field.instances?.some((children) => children.some((child) => inside(child, path))));

/** The page that holds the answer at this path, or -1. */
export const pageWith = (pages: FieldState[], path: string): number => pages.findIndex((page) => inside(page, path));

/** Pages that the unit has answered by itself are passed over. */
function firstOpenPage(session: FormSession): number {
  const [first] = session.problems();
  return first ? Math.max(0, pageWith(session.pages(), first.path)) : 0;
}

/** The form with a record's answers in it, to read. */
export const openRecord = (form: CompiledForm, record: FormRecord): FormSession =>
  openForm(form, context(), { answers: record.answers, envelope: record as unknown as Record<string, unknown> });

const LEAVING = ["pagehide", "visibilitychange"]; // what a page hears before it may be ended

/** Opens a draft for this tab alone. Every change is written at once. */
export async function openDraft(id: string): Promise<Filling | OpenTrouble> {
  const draft = await readDraft(id);
  if (!draft) return "draft_missing";
  const form = formOf(draft.form_id, draft.form_version);
  if (!form) return "draft_no_form";
  const release = await hold(`gridbook-draft-${id}`);
  if (!release) return "draft_other_tab";
  const session = openForm(form, context(), {
    ...(draft.initial?.answers && { answers: draft.initial.answers as Answers }),
    ...(draft.initial?.envelope && { envelope: draft.initial.envelope }),
    ...(draft.snapshot !== undefined && { snapshot: draft.snapshot }),
  });
  if (draft.snapshot === undefined && draft.prefill) {
    for (const [name, value] of Object.entries(draft.prefill)) session.set(name, value);
    draft.page = firstOpenPage(session);
  }
  const saver = new Saver<Draft>(
    (value) => writeDraft(value),
    () => (state.storageTrouble.value = "full"),
  );
  const stop = session.onChange(() => save(filling));
  const hurry = () => saver.hurry();
  for (const event of LEAVING) addEventListener(event, hurry);
  const filling: Filling = {
    draft,
    form,
    session,
    saver,
    release() {
      stop();
      for (const event of LEAVING) removeEventListener(event, hurry);
      release();
    },
  };
  return filling;
}

export function save({ draft, session, saver }: Filling): void {
  draft.snapshot = session.snapshot();
  draft.updated_ms = nowMs();
  saver.put({ ...draft });
}

/** Resolves to a function that lets go, or to undefined when another tab holds the draft. */
function hold(name: string): Promise<(() => void) | undefined> {
  if (!navigator.locks) return Promise.resolve(() => undefined);
  return new Promise((resolve) => {
    void navigator.locks.request(name, { ifAvailable: true }, (lock) => {
      if (!lock) return resolve(undefined);
      return new Promise<void>((done) => resolve(done));
    });
  });
}

function* texts(value: unknown): Generator<string> {
  if (typeof value === "string") yield value;
  else if (Array.isArray(value)) for (const each of value) yield* texts(each);
  else if (value && typeof value === "object") for (const each of Object.values(value)) yield* texts(each);
}

async function mediaOf(draft: Draft, answers: Answers): Promise<Map<string, Blob>> {
  const media = new Map<string, Blob>();
  for (const name of new Set(texts(answers))) {
    const content = name.length < 80 ? await readMedia(draft.draft_id, name) : undefined;
    if (content) media.set(name, content);
  }
  return media;
}

/**
 * Makes the record. Throws when it could not be written; the draft is then still there and finishing again makes the same record.
 */
export async function finish({ draft, form, session, saver }: Filling): Promise<string> {
  const ended_at = now();
  const made = session.toRecord();
  const { work_date = beijingDay(nowMs()), ...envelope } = made.envelope as { work_date?: string };
  const record = {
    ...draft.initial?.envelope,
    ...envelope,
    _id: recordId(draft, work_date),
    type: "record",
    form_id: form.form_id,
    form_version: form.version,
    work_date,
    captured_at: ended_at,
    started_at: draft.started_at,
    ended_at,
    ...skew(),
    village_code: draft.village_code,
    answers: made.answers,
    confirmed: made.confirmed,
  } as FormRecord;
  if (!record.voided) delete record.voided;
  if (!record.supersedes) delete record.correction_reason;
  draft.finishing_as = record._id;
  draft.snapshot = session.snapshot();
  saver.put({ ...draft });
  await saver.settled();
  await keepRecord(record, await mediaOf(draft, made.answers));
  await dropDraft(draft.draft_id);
  await reloadDrafts();
  return record._id;
}
