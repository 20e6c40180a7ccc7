/** Opens what the phone holds, keeps the state in step with it, and runs the sync. */
import { batch, effect } from "@preact/signals";
import { beijingTime } from "../clock";
import { openRegister, Register, type Opened } from "../lists/register";
import { acknowledge, addRecord, forgetOld, hasRecord, loadReceipts, loadRecords, loadVerdicts, toPush, withdraw } from "../records/outbox";
import { catalogue, dropCopiesOfOthers } from "../storage/databases";
import { readDrafts, settle } from "../storage/drafts";
import { recall, remember, type Identity } from "../storage/device";
import { Engine, type Surroundings } from "../sync/engine";
import { Leadership } from "../sync/leader";
import type { CompiledForm } from "../forms";
import type { FormRecord } from "../documents";
import { fetchIdentity } from "./enrolment";
import * as state from "./state";

export const nowMs = () => Date.now();
export const now = () => beijingTime(nowMs());

const DEFAULT_RETAIN_DAYS = 7;
const villages = () => state.identity.value?.villages.map((village) => village.code) ?? [];
const server = () => state.identity.value?.server_uuid ?? "";
const outboxes = () => [...new Set([...villages(), ...state.pastVillages.value])];

let opened: Opened | undefined;
let catalogueFeed: { cancel(): void } | undefined;
let leadership: Leadership | undefined;
let engine: Engine | undefined;

/** 1. identity 2. drafts and records 3. register and forms 4. sync. Screens may draw after 3. */
export async function open(): Promise<void> {
  const [identity, revoked, filler, village, lang, skew, reached, past] = await Promise.all([
    recall("identity"),
    recall("revoked"),
    recall("filler_id"),
    recall("village_code"),
    recall("lang"),
    recall("clock_skew_s"),
    recall("last_reached_ms"),
    recall("past_villages"),
  ]);
  batch(() => {
    state.identity.value = identity;
    state.revoked.value = revoked ?? false;
    state.pastVillages.value = past ?? [];
    state.fillerId.value = filler ?? "";
    state.villageCode.value = village ?? identity?.villages[0]?.code ?? "";
    if (lang) state.lang.value = lang;
    state.clockSkewS.value = skew;
    state.lastReachedMs.value = reached ?? 0;
  });
  if (identity) await enter();
}

/** Everything that needs an enrolled phone. Called once at opening, or right after enrolment. */
export async function enter(): Promise<void> {
  await readCopies();
  await reloadDrafts();
  startSync();
}

/** Records, forms and register as this phone's copies of the server's documents have them. */
async function readCopies(): Promise<void> {
  await Promise.all([reloadRecords(), reloadForms()]);
  followCatalogue();
  await openVillage(state.villageCode.value);
}

/**
 * What the server says this phone is for. Its records of villages that it loses stay in sight, and go when they may. Which server
 * it is counts only once everything has been compared with it.
 */
async function become(given: Identity): Promise<void> {
  const known = state.identity.value;
  const identity = { ...given, server_uuid: known?.server_uuid ?? given.server_uuid };
  if (JSON.stringify(identity) === JSON.stringify(known)) return;
  const past = outboxes();
  await remember("past_villages", past);
  await remember("identity", identity);
  batch(() => {
    state.pastVillages.value = past;
    state.identity.value = identity;
  });
}

export async function enrolled(identity: Identity): Promise<void> {
  await become(identity);
  await remember("revoked", false);
  const first = identity.villages.some((village) => village.code === state.villageCode.value) ? state.villageCode.value : (identity.villages[0]?.code ?? "");
  batch(() => {
    state.revoked.value = false;
    state.villageCode.value = first;
  });
  await remember("village_code", first);
  // Asks the browser not to clear unsent records when space is short; a refusal changes nothing else.
  void navigator.storage?.persist?.().catch(() => false);
  if (engine) {
    await openVillage(first);
    sync();
  } else await enter();
}

export async function chooseFiller(id: string): Promise<void> {
  state.fillerId.value = id;
  await remember("filler_id", id);
}

export async function chooseLang(lang: "zh" | "en"): Promise<void> {
  state.lang.value = lang;
  await remember("lang", lang);
}

export async function chooseVillage(code: string): Promise<void> {
  await remember("village_code", code);
  state.villageCode.value = code;
  await openVillage(code);
  sync();
}

async function openVillage(code: string): Promise<void> {
  opened?.close();
  opened = undefined;
  if (!code) {
    state.register.value = { of: "", held: new Register() };
    return;
  }
  const mine = await openRegister(server(), code, () => void registerChanged(code));
  opened = mine;
  state.register.value = { of: code, held: mine.register };
}

async function registerChanged(code: string): Promise<void> {
  if (opened && state.villageCode.value === code) state.register.value = { of: code, held: opened.register };
  await reloadVerdicts();
}

export async function reloadRecords(): Promise<void> {
  const [records, receipts] = await Promise.all([loadRecords(outboxes()), loadReceipts()]);
  const verdicts = await loadVerdicts(server(), records);
  batch(() => {
    state.records.value = records;
    state.receipts.value = receipts;
    state.verdicts.value = verdicts;
  });
}

async function reloadVerdicts(): Promise<void> {
  state.verdicts.value = await loadVerdicts(server(), state.records.value);
}

export async function reloadDrafts(): Promise<void> {
  const open = await settle(await readDrafts(), (draft) => hasRecord(draft.village_code, draft.finishing_as ?? ""));
  state.drafts.value = open.sort((a, b) => b.updated_ms - a.updated_ms);
}

async function reloadForms(): Promise<void> {
  const { rows } = await catalogue(server()).allDocs({ include_docs: true });
  const forms = new Map<string, CompiledForm>();
  let settings: Record<string, unknown> = {};
  for (const { doc } of rows) {
    if (doc?._id.startsWith("form:")) forms.set(doc._id.slice("form:".length), doc as unknown as CompiledForm);
    else if (doc?._id === "settings:district") settings = doc as unknown as Record<string, unknown>;
  }
  batch(() => {
    state.forms.value = forms;
    state.settings.value = (settings["settings"] as Record<string, unknown> | undefined) ?? settings;
  });
}

function followCatalogue(): void {
  catalogueFeed?.cancel();
  catalogueFeed = catalogue(server())
    .changes({ live: true, since: "now" })
    .on("change", () => void reloadForms());
}

/** The record is safe on this phone when this resolves; it goes to the server as soon as there is a network. */
export async function keepRecord(record: FormRecord, media: ReadonlyMap<string, Blob>): Promise<void> {
  await addRecord(record, media);
  await reloadRecords();
  sync();
}

export const sync = (): void => leadership?.wish();

function startSync(): void {
  if (engine) return;
  leadership = new Leadership(
    () => engine?.poke(),
    (status) => {
      state.status.value = status;
      void reloadRecords();
      void recall("identity").then(moveTo);
      void recall("last_reached_ms").then((ms) => (state.lastReachedMs.value = ms ?? 0));
    },
  );
  engine = new Engine(surroundings);
  const made = engine;
  leadership.seek(() => void dropCopiesOfOthers(server()).catch(console.info).then(() => made.start()));
}

/** The server was replaced, and the tab that syncs has compared everything: the screens turn to the copies of what it holds. */
async function moveTo(identity: Identity | undefined): Promise<void> {
  if (!identity || identity.server_uuid === server()) return;
  state.identity.value = identity;
  await readCopies();
}

const surroundings: Surroundings = {
  token: () => state.identity.value?.token ?? "",
  villages,
  outboxes,
  village: () => state.villageCode.value,
  server,
  waiting: async (village) => toPush(await current(), village).waiting,
  unjudged: async (village) => toPush(await current(), village).unjudged,
  kept: async (village) => toPush(await current(), village).kept,
  async acknowledged(_village, ids) {
    await acknowledge(ids, nowMs());
    state.receipts.value = await loadReceipts();
  },
  async missing(village, ids) {
    if (!ids.length) return;
    await withdraw(server(), village, ids);
    await reloadRecords();
  },
  async refresh() {
    const known = state.identity.value;
    const fresh = known && (await fetchIdentity(known));
    if (fresh) await become(fresh);
  },
  async settled(answering) {
    const known = state.identity.value;
    if (known && known.server_uuid !== answering) {
      const identity = { ...known, server_uuid: answering };
      await remember("identity", identity);
      await moveTo(identity);
    }
    await forget();
  },
  reached(skewS) {
    const before = state.lastReachedMs.value;
    state.clockSkewS.value = skewS;
    state.lastReachedMs.value = nowMs();
    if (nowMs() - before < 1000) return;
    void remember("clock_skew_s", skewS);
    void remember("last_reached_ms", nowMs());
  },
  revoked() {
    state.revoked.value = true;
    void remember("revoked", true);
  },
  status(status) {
    state.status.value = status;
    leadership?.tell(status);
  },
};

/** Another tab may have finished a record: the outbox itself is asked. */
async function current() {
  await reloadRecords();
  return state.own.value;
}

/** Right after a round with the server that judged them, and by its clock: else a restored one could no longer ask for them. */
async function forget(): Promise<void> {
  const days = Number(state.settings.value["retain_local_days"] ?? DEFAULT_RETAIN_DAYS);
  const gone = await forgetOld(state.records.value, state.receipts.value, state.verdicts.value, days, nowMs() - (state.clockSkewS.value ?? 0) * 1000);
  if (gone) await reloadRecords();
}

effect(() => {
  document.documentElement.lang = state.lang.value === "zh" ? "zh-CN" : "en";
});
