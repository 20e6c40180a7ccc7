/**
 * Hands waiting records to a village's inbox and asks the server which of them it has.
 *
 * PouchDB's replicator moves the documents; whether they arrived is asked afterwards by `_revs_diff`, because a replication also
 * ends well when the server refused a row. No checkpoint is kept: what waits is what has no receipt, so a server that was
 * restored from a backup, or refused for a while, gets the rest the next time.
 */
import type { FormRecord } from "../documents";
import type { Database } from "../storage/databases";
import { batches, halves, type Waiting } from "./pace";

export interface PushOutcome {
  /** Ids that the server says it holds. */
  held: string[];
  /** Ids that were tried and are still missing there. */
  refused: string[];
  /** Ids of single records that the server does not take as they are: too large, or a photo damaged in storage. */
  rejected: string[];
}

interface Failure {
  status?: number;
}

/** A whole batch is answered so because of one record in it: that one must not hold up the others. */
const ONE_IS_BAD = [400, 412, 413];

type RevsDiff = Record<string, { missing: string[] }>;
interface AsksRevisions {
  revsDiff(revisions: Record<string, string[]>): Promise<RevsDiff>;
}

async function missingAt(inbox: Database<FormRecord>, batch: Waiting[]): Promise<Set<string>> {
  const asked = Object.fromEntries(batch.map((each) => [each.id, [each.rev]]));
  return new Set(Object.keys(await (inbox as unknown as AsksRevisions).revsDiff(asked)));
}

export async function push(outbox: Database<FormRecord>, inbox: Database<FormRecord>, waiting: Waiting[]): Promise<PushOutcome> {
  const outcome: PushOutcome = { held: [], refused: [], rejected: [] };
  const queue = batches(waiting);
  for (let batch = queue.shift(); batch; batch = queue.shift()) {
    try {
      await outbox.replicate.to(inbox, { doc_ids: batch.map((each) => each.id), checkpoint: false, batch_size: batch.length });
    } catch (error) {
      if (!ONE_IS_BAD.includes((error as Failure).status ?? 0)) throw error;
      if (batch.length === 1) outcome.rejected.push(...batch.map((each) => each.id));
      queue.unshift(...halves(batch));
      continue;
    }
    const missing = await missingAt(inbox, batch);
    for (const { id } of batch) (missing.has(id) ? outcome.refused : outcome.held).push(id);
  }
  return outcome;
}

/** Of records that the server once acknowledged, those that it lacks. */
export async function lost(inbox: Database<FormRecord>, received: Waiting[]): Promise<string[]> {
  return received.length ? [...(await missingAt(inbox, received))] : [];
}
