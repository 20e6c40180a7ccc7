/** This phone's own records: written once, kept until the server has judged them for good. */
import type { FormRecord, RegisterDocument, Verdict } from "../documents";
import { outbox, register } from "../storage/databases";
import { readAll, remove, write } from "../storage/keep";
import type { Waiting } from "../sync/pace";
import { chainOf, leaving, type OwnRecord } from "./chain";

export type KeptRecord = FormRecord & { _rev: string; _attachments?: Record<string, { content_type: string; length?: number }> };

interface Receipt {
  record_id: string;
  received_ms: number;
}

export async function loadRecords(villages: string[]): Promise<KeptRecord[]> {
  const all: KeptRecord[] = [];
  for (const village of villages) {
    const { rows } = await outbox(village).allDocs({ include_docs: true });
    for (const row of rows) if (row.doc) all.push(row.doc as unknown as KeptRecord);
  }
  return all;
}

export async function loadReceipts(): Promise<Set<string>> {
  return new Set((await readAll<Receipt>("receipts")).map((receipt) => receipt.record_id));
}

export async function loadVerdicts(server: string, records: FormRecord[]): Promise<Map<string, Verdict>> {
  const byVillage = Map.groupBy ? Map.groupBy(records, (record) => record.village_code) : groupByVillage(records);
  const found = new Map<string, Verdict>();
  for (const [village, own] of byVillage) {
    const { rows } = await register(server, village).allDocs({ keys: own.map((record) => `verdict:${record._id}`), include_docs: true });
    for (const row of rows) if ("doc" in row && row.doc?.type === "verdict") found.set(row.doc.record_id, row.doc);
  }
  return found;
}

function groupByVillage(records: FormRecord[]): Map<string, FormRecord[]> {
  const groups = new Map<string, FormRecord[]>();
  for (const record of records) groups.set(record.village_code, [...(groups.get(record.village_code) ?? []), record]);
  return groups;
}

/** Puts a record and its media in one write. A record that is there already is the same one, finished before. */
export async function addRecord(record: FormRecord, media: ReadonlyMap<string, Blob>): Promise<void> {
  const attachments = Object.fromEntries([...media].map(([name, data]) => [name, { content_type: data.type, data }]));
  try {
    await outbox(record.village_code).put(media.size ? { ...record, _attachments: attachments } : record);
  } catch (error) {
    if ((error as { status?: number }).status !== 409) throw error;
  }
}

export async function hasRecord(village: string, id: string): Promise<boolean> {
  return outbox(village)
    .get(id)
    .then(
      () => true,
      (error: { status?: number }) => {
        if (error.status === 404) return false;
        throw error;
      },
    );
}

export async function recordMedia(village: string, id: string, name: string): Promise<Blob> {
  return (await outbox(village).getAttachment(id, name)) as Blob;
}

export const acknowledge = (ids: string[], nowMs: number) =>
  Promise.all(ids.map((record_id) => write("receipts", record_id, { record_id, received_ms: nowMs } satisfies Receipt, "strict")));

/** The server lacks these after all: they wait again. Verdicts go first: what is left without one is asked for in every round. */
export async function withdraw(server: string, village: string, ids: string[]): Promise<void> {
  const copy = register(server, village);
  const { rows } = await copy.allDocs({ keys: ids.map((id) => `verdict:${id}`) });
  const verdicts = rows.flatMap((row) => ("id" in row && !row.value.deleted ? [{ _id: row.id, _rev: row.value.rev, _deleted: true }] : []));
  await copy.bulkDocs(verdicts as unknown as RegisterDocument[]);
  await Promise.all(ids.map((id) => remove("receipts", id)));
}

export function toPush(own: OwnRecord[], village: string): { waiting: Waiting[]; unjudged: Waiting[]; kept: Waiting[] } {
  const describe = ({ record }: OwnRecord): Waiting => {
    const kept = record as KeptRecord;
    return { id: kept._id, rev: kept._rev, media: kept._attachments !== undefined };
  };
  const here = own.filter((each) => each.record.village_code === village);
  return {
    waiting: here.filter((each) => each.state === "waiting").map(describe).reverse(),
    unjudged: here.filter((each) => each.state === "received").map(describe),
    kept: here.filter((each) => each.state !== "waiting").map(describe),
  };
}

/** Drops what was judged for good some days ago. Only this phone forgets: nothing waits in the outbox but what has no receipt. */
export async function forgetOld(records: FormRecord[], receipts: ReadonlySet<string>, verdicts: ReadonlyMap<string, Verdict>, retainDays: number, nowMs: number): Promise<number> {
  const old = leaving(chainOf(records, receipts, verdicts), retainDays, nowMs) as KeptRecord[];
  for (const record of old) {
    await outbox(record.village_code).remove(record._id, record._rev);
    await remove("receipts", record._id);
  }
  return old.length;
}
