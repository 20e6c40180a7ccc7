// A PouchDB to be compared with: databases in memory, told what to do line by line.
//
// Each line in is [command, database, argument], each line out its JSON result.

import { createInterface } from "node:readline";
import PouchDB from "pouchdb";
import memory from "pouchdb-adapter-memory";

PouchDB.plugin(memory);
const open = new Map();
const named = (name) => {
  if (!open.has(name)) open.set(name, new PouchDB(name, { adapter: "memory", auto_compaction: false }));
  return open.get(name);
};

async function forget(name) {
  await named(name).destroy();
  open.delete(name);
}

async function leaves(db) {
  const { results } = await db.changes({ style: "all_docs" });
  return Object.fromEntries(results.map(({ id, changes }) => [id, changes.map(({ rev }) => rev)]));
}

/** What is known of every document: its winner, and each leaf with its ancestors. */
async function trees(db) {
  const told = {};
  for (const id of Object.keys(await leaves(db))) {
    const rows = await db.get(id, { open_revs: "all", revs: true });
    told[id] = { winner: await winner(db, id), leaves: rows.map(({ ok }) => leaf(ok)).sort((a, b) => (a.rev < b.rev ? -1 : 1)) };
  }
  return told;
}

const leaf = ({ _rev, _deleted, _revisions: { start, ids } }) => ({
  rev: _rev,
  deleted: _deleted === true,
  path: ids.map((name, step) => `${start - step}-${name}`),
});

async function winner(db, id) {
  const { results } = await db.changes({ doc_ids: [id] });
  return results[0].changes[0].rev;
}

const commands = {
  forget: (_db, _argument, name) => forget(name),
  leaves,
  trees,
  missing: (db, revs) => db.revsDiff(revs),
  read: async (db, docs) => {
    const { results } = await db.bulkGet({ docs, revs: true });
    return results.map(({ docs: [{ ok }] }) => ok);
  },
  write: async (db, docs) => (await db.bulkDocs(docs, { new_edits: false })).filter((row) => row.error),
  edit: async (db, doc) => (await db.put(doc)).rev,
};

for await (const line of createInterface({ input: process.stdin })) {
  const [command, name, argument] = JSON.parse(line);
  const told = await commands[command](command === "forget" ? null : named(name), argument, name);
  console.log(JSON.stringify(told ?? null));
}
