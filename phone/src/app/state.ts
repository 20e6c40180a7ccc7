/** What every screen reads. Only the files of this folder write it. */
import { computed, signal } from "@preact/signals";
import type { Verdict } from "../documents";
import type { CompiledForm, Lang } from "../forms";
import { Register } from "../lists/register";
import { chainOf, needsCorrection } from "../records/chain";
import type { KeptRecord } from "../records/outbox";
import type { Draft } from "../storage/drafts";
import type { Identity } from "../storage/device";
import type { Status } from "../sync/engine";

export const lang = signal<Lang>("zh");
export const identity = signal<Identity | undefined>(undefined);
/** Villages of earlier enrolments. */
export const pastVillages = signal<string[]>([]);
export const revoked = signal(false);
export const fillerId = signal("");
export const villageCode = signal("");

export const status = signal<Status>({ phase: "idle", stuck: [], pulled: 0 });
export const lastReachedMs = signal(0);
export const clockSkewS = signal<number | undefined>(undefined);
export const updateReady = signal(false);
export const storageTrouble = signal<string | undefined>(undefined);

/** The village's register; a fresh object each time it changes, so that readers notice. */
export const register = signal<{ of: string; held: Register }>({ of: "", held: new Register() });
/** `<form_id>:<version>` → form. */
export const forms = signal<ReadonlyMap<string, CompiledForm>>(new Map());
export const settings = signal<Record<string, unknown>>({});

export const drafts = signal<Draft[]>([]);
export const records = signal<KeptRecord[]>([]);
export const receipts = signal<ReadonlySet<string>>(new Set());
export const verdicts = signal<ReadonlyMap<string, Verdict>>(new Map());

export const own = computed(() => chainOf(records.value, receipts.value, verdicts.value));
export const waitingCount = computed(() => own.value.filter((each) => each.state === "waiting").length);
export const unjudgedCount = computed(() => own.value.filter((each) => each.state === "waiting" || each.state === "received").length);
export const toCorrect = computed(() => own.value.filter((each) => needsCorrection(each.state) && !each.replacedBy));

/** The version of each form that a new record is filled with. */
export const currentForms = computed(() => {
  const latest = new Map<string, CompiledForm>();
  for (const form of forms.value.values()) {
    const known = latest.get(form.form_id);
    if (!known || known.version.localeCompare(form.version, "en", { numeric: true }) < 0) latest.set(form.form_id, form);
  }
  return [...latest.values()].sort((a, b) => a.form_id.localeCompare(b.form_id));
});

export const fillers = computed(() => {
  const byId = new Map((identity.value?.fillers ?? []).map((filler) => [filler.filler_id, filler]));
  for (const filler of register.value.held.fillers.values()) byId.set(filler.filler_id, filler);
  const here = [...byId.values()].filter((filler) => !filler.village_code || filler.village_code === villageCode.value);
  return here.length ? here : [...byId.values()];
});
export const filler = computed(() => fillers.value.find((each) => each.filler_id === fillerId.value));
