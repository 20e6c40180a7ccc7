/** The PouchDB databases on this phone and their counterparts on the server. */
import PouchDB from "pouchdb-browser";
import type { FormRecord, RegisterDocument } from "../documents";
import type { CompiledForm } from "../forms";

export type CatalogueDocument = ({ type: "form" } & CompiledForm) | ({ type: "settings" } & Record<string, unknown>);
export type Database<Content extends {}> = PouchDB.Database<Content>;

const opened = new Map<string, unknown>();

function local<Content extends {}>(name: string): Database<Content> {
  let database = opened.get(name) as Database<Content> | undefined;
  if (!database) {
    database = new PouchDB<Content>(`gridbook-${name}`, { adapter: "idb", auto_compaction: true, revs_limit: 20 });
    database.setMaxListeners(30);
    opened.set(name, database);
  }
  return database;
}

/**
 * Copies of what the server with this uuid holds. A server that was restored from a backup is another one, and gets copies of
 * its own: revisions of the time that it lost can win over nothing there, and the screens read the old ones until all is there.
 */
export const catalogue = (server: string) => local<CatalogueDocument>(`catalogue@${server}`);
export const register = (server: string, village: string) => local<RegisterDocument>(`register-${village}@${server}`);
export const outbox = (village: string) => local<FormRecord>(`outbox-${village}`);

const COPY = /^_pouch_gridbook-((?:catalogue|register-).*)$/;

/** Deletes the copies of what other servers held. Only while no tab syncs: a copy may be half made. */
export async function dropCopiesOfOthers(server: string): Promise<void> {
  for (const { name = "" } of (await indexedDB.databases?.()) ?? []) {
    const copy = COPY.exec(name)?.[1];
    if (copy === undefined || copy.endsWith(`@${server}`)) continue;
    await local(copy).destroy();
    opened.delete(copy);
  }
}

/** The server's database of that name; nothing is asked before the first use. */
export function remote<Content extends {}>(name: string, fetch: typeof globalThis.fetch): Database<Content> {
  const database = new PouchDB<Content>(`${location.origin}/sync/${name}`, {
    skip_setup: true,
    fetch: fetch as NonNullable<PouchDB.Configuration.RemoteDatabaseConfiguration["fetch"]>,
  });
  // A replication asks for it before and after every batch only to count its progress, and hears no failure of the latter.
  database.info = () => Promise.resolve({ db_name: name, doc_count: 0, update_seq: 0 });
  return database;
}
