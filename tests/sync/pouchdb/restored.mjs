// Phones that are ahead of a server which was restored from a backup; the test around this restores it in the middle.
//
//   node restored.mjs http://127.0.0.1:8000/sync folder
//
// It says `backup`, `restore` and `ok`, and waits for a line after the first two. Two phones: Alice's makes a replication each time,
// Bob's keeps one running over the restore.

import assert from "node:assert/strict";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import PouchDB from "pouchdb";

const [base, folder] = process.argv.slice(2);
const admin = { auth: { username: "admin", password: "secret" } };
const remote = (name) => new PouchDB(`${base}/${name}`, admin);
const local = (name) => new PouchDB(join(folder, name), { adapter: "leveldb" });
const lines = createInterface({ input: process.stdin });

const docs = (prefix, count) => Array.from({ length: count }, (_, n) => ({ _id: `${prefix}:${n}`, text: "发热" }));
const ids = async (db) => (await db.allDocs()).rows.map(({ id }) => id);

async function ask(word) {
  console.log(word);
  await once(lines, "line");
}

async function until(holds) {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 20));
}

async function lacksNothing(db, wanted, whose) {
  const held = new Set(await ids(db));
  assert.deepEqual([...wanted].filter((id) => !held.has(id)), [], whose);
}

const [inbox, register] = [remote("inbox-a"), remote("register-a")];
const [aliceOut, aliceIn, bobOut, bobIn] = ["alice-out", "alice-in", "bob-out", "bob-in"].map(local);
const push = () => aliceOut.replicate.to(inbox);
const pull = () => aliceIn.replicate.from(register);
const live = { live: true, retry: true, back_off_function: () => 50 };
const running = [bobOut.replicate.to(inbox, live), bobIn.replicate.from(register, live)];

await aliceOut.bulkDocs(docs("alice:early", 30));
await bobOut.bulkDocs(docs("bob:early", 30));
await register.bulkDocs(docs("household:early", 30));
await push();
await pull();
await until(async () => (await inbox.info()).doc_count === 60 && (await bobIn.info()).doc_count === 30);
await ask("backup");

await aliceOut.bulkDocs(docs("alice:lost", 30));
await bobOut.bulkDocs(docs("bob:lost", 30));
await register.bulkDocs(docs("household:lost", 30));
await push();
await pull();
await until(async () => (await inbox.info()).doc_count === 120 && (await bobIn.info()).doc_count === 60);
await ask("restore");

// The restored server gives the sequences of what it lost to other documents.
await register.bulkDocs(docs("household:late", 40));
await bobOut.bulkDocs(docs("bob:late", 5));
await push();
await pull();
await lacksNothing(inbox, await ids(aliceOut), "what Alice's phone holds");
await lacksNothing(aliceIn, await ids(register), "what the restored server wrote");
await until(async () => (await bobIn.info()).doc_count === 100);
for (const replication of running) replication.cancel();
await bobOut.replicate.to(inbox);
await bobIn.replicate.from(register);
await lacksNothing(inbox, await ids(bobOut), "what Bob's phone holds");
await lacksNothing(bobIn, await ids(register), "what the restored server wrote, on Bob's phone");
console.log("ok");
process.exit(0);
