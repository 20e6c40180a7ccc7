// An unmodified PouchDB replicates with /sync/ in both ways; nothing of ours lies in between.
//
//   node replicate.mjs http://127.0.0.1:8000/sync folder
//
// The server's cast (standalone.py): `admin` may do everything, `alice` reads register-a and pushes into inbox-a.

import assert from "node:assert/strict";
import { join } from "node:path";
import PouchDB from "pouchdb";

const [base, folder] = process.argv.slice(2);
const admin = { auth: { username: "admin", password: "secret" } };

const withToken = (token) => ({
  skip_setup: true,
  fetch: (url, options) => {
    options.headers.set("Authorization", `Bearer ${token}`);
    return PouchDB.fetch(url, options);
  },
});

const remote = (name, options = admin) => new PouchDB(`${base}/${encodeURIComponent(name)}`, options);
let made = 0;
const local = () => new PouchDB(join(folder, `db${made++}`), { adapter: "leveldb" });

const photo = Buffer.from(Array.from({ length: 70_000 }, (_, n) => (n * 31) % 251));
const inline = (data, type) => ({ content_type: type, data: data.toString("base64") });

async function leaves(db, id) {
  const found = await db.get(id, { open_revs: "all", revs: true });
  return found.map(({ ok }) => `${ok._rev} ${ok._deleted ?? false} ${ok._revisions.ids.join(",")}`).sort();
}

async function sameEverywhere(one, other) {
  const [mine, yours] = await Promise.all([one, other].map((db) => db.changes({ style: "all_docs" })));
  const told = (changes) =>
    changes.results.map(({ id, changes: revs, deleted }) => [id, revs.map(({ rev }) => rev).sort(), deleted ?? false]);
  assert.deepEqual(new Map(told(mine).map((row) => [row[0], row])), new Map(told(yours).map((row) => [row[0], row])));
}

async function bothWays() {
  const phone = local();
  const server = remote("both/ways+1");
  const docs = Array.from({ length: 250 }, (_, n) => ({ _id: `record:${n}`, text: "发热 😀", n }));
  await phone.bulkDocs(docs);
  await phone.put({ _id: "村/with slash + plus", _attachments: { "p/照片.jpg": inline(photo, "image/jpeg") } });
  await server.put({ _id: "from-the-server", _attachments: { "note.txt": inline(Buffer.from("笔记"), "text/plain") } });
  const done = await phone.sync(server);
  assert.equal(done.push.docs_written, 251);
  assert.equal(done.pull.docs_written, 1);
  await sameEverywhere(phone, server);
  const there = await server.getAttachment("村/with slash + plus", "p/照片.jpg");
  assert.deepEqual(Buffer.from(there), photo);
  const here = await phone.getAttachment("from-the-server", "note.txt");
  assert.equal(here.toString(), "笔记");
  const again = await phone.sync(server);
  assert.deepEqual([again.push.docs_written, again.pull.docs_written], [0, 0]);
}

async function conflictsAndDeletes() {
  const [one, other, server] = [local(), local(), remote("conflicts")];
  await one.put({ _id: "a", by: "nobody" });
  await one.put({ _id: "gone" });
  await one.replicate.to(server);
  await other.replicate.from(server);
  for (const [db, by] of [[one, "one"], [other, "other"]]) {
    await db.put({ ...(await db.get("a")), by });
  }
  await other.remove(await other.get("gone"));
  for (const db of [one, other, one]) await db.sync(server);
  assert.deepEqual(await leaves(one, "a"), await leaves(other, "a"));
  assert.deepEqual(await leaves(one, "a"), await leaves(server, "a"));
  assert.equal((await server.get("a", { conflicts: true }))._conflicts.length, 1);
  await assert.rejects(one.get("gone"), { status: 404, reason: "deleted" });
  const loser = (await one.get("a", { conflicts: true }))._conflicts[0];
  await one.remove("a", loser);
  for (const db of [one, other]) await db.sync(server);
  assert.equal((await other.get("a", { conflicts: true }))._conflicts, undefined);
  await sameEverywhere(one, server);
}

async function serverToServer() {
  const [from, to] = [remote("both/ways+1"), remote("copy")];
  const { docs_written } = await from.replicate.to(to);
  assert.equal(docs_written, 252);
  await sameEverywhere(from, to);
  assert.deepEqual(Buffer.from(await to.getAttachment("村/with slash + plus", "p/照片.jpg")), photo);
}

async function live() {
  const [phone, server] = [local(), remote("live")];
  const arrived = (db, id) =>
    new Promise((resolve) => db.changes({ live: true, since: 0 }).on("change", (row) => row.id === id && resolve()));
  const running = phone.sync(server, { live: true, retry: true });
  await server.put({ _id: "from-the-server" });
  await arrived(phone, "from-the-server");
  await phone.put({ _id: "from-the-phone", _attachments: { p: inline(photo, "image/jpeg") } });
  await arrived(server, "from-the-phone");
  running.cancel();
}

async function aPhoneOfTheVillage() {
  const [register, inbox, foreign] = ["register-a", "inbox-a", "inbox-b"].map((name) => remote(name, withToken("alice")));
  await remote("register-a").put({ _id: "household:1", head_name: "张三" });
  await remote("inbox-a").info();
  await remote("inbox-b").info();
  const pulled = local();
  await pulled.replicate.from(register);
  assert.equal((await pulled.get("household:1")).head_name, "张三");
  assert.equal((await pulled.replicate.from(register)).docs_read, 0, "the checkpoint was kept");
  const queue = local();
  await queue.put({ _id: "record:x", _attachments: { p: inline(photo, "image/jpeg") } });
  assert.equal((await queue.replicate.to(inbox)).docs_written, 1);
  assert.equal((await queue.replicate.to(inbox)).docs_read, 0, "the checkpoint was kept");
  await assert.rejects(inbox.get("record:x"), { status: 403 });
  await assert.rejects(async () => queue.replicate.to(foreign), { status: 403 });
  await assert.rejects(async () => queue.replicate.to(register), { status: 403 });
  assert.equal((await remote("inbox-b").info()).doc_count, 0);
}

for (const step of [bothWays, conflictsAndDeletes, serverToServer, live, aPhoneOfTheVillage]) {
  await step();
  console.log(`ok ${step.name}`);
}
process.exit(0); // a cancelled feed would keep node waiting for its answer
