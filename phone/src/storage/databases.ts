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

export const catalogue = () => local<CatalogueDocument>("catalogue");
export const register = (village: string) => local<RegisterDocument>(`register-${village}`);
export const outbox = (village: string) => local<FormRecord>(`outbox-${village}`);

/** The server's database of that name; nothing is asked before the first use. */
export function remote<Content extends {}>(name: string, fetch: typeof globalThis.fetch): Database<Content> {
  return new PouchDB<Content>(`${location.origin}/sync/${name}`, {
    skip_setup: true,
    fetch: fetch as NonNullable<PouchDB.Configuration.RemoteDatabaseConfiguration["fetch"]>,
  });
}
