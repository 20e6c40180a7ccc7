// A phone that makes records and pushes them again and again, over a network that cuts; bench/faults reads what it was told.
//
//   node pushing.mjs http://127.0.0.1:8000/sync/inbox-x token folder seed
//
// One line of JSON for each replication: {"kept": [[id, rev], …]} of what is known to be on the server, or {"error": …}. When its
// standard input ends it hands over the rest and ends.

import { join } from "node:path";
import PouchDB from "pouchdb";

const [url, token, folder, seed] = process.argv.slice(2);
const withToken = {
  skip_setup: true,
  fetch: (address, options) => {
    options.headers.set("Authorization", `Bearer ${token}`);
    return PouchDB.fetch(address, options);
  },
};
const outbox = new PouchDB(join(folder, `outbox-${seed}`), { adapter: "leveldb" });
const inbox = new PouchDB(url, withToken);
const tell = (told) => console.log(JSON.stringify(told));
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

let ended = false;
process.stdin.on("end", () => (ended = true));
process.stdin.resume();
// Over a bad network PouchDB now and then never says that a replication has ended.
const stalled = async () => {
  await pause(60_000);
  throw new Error("the replication did not end");
};

let made = 0;
let told = [];
async function work() {
  const count = 1 + (made % 5);
  for (let n = 0; n < count; n++, made++) {
    const doc = { _id: `record:household_visit:20200221:pouch-${seed}-${made}`, type: "record", remark: `发热 ${made}` };
    if (made % 4 === 0) {
      doc._attachments = { p: { content_type: "image/jpeg", data: Buffer.alloc(100 + ((made * 37) % 9000), made).toString("base64") } };
    }
    const { rev } = await outbox.put(doc);
    told.push([doc._id, rev]);
  }
}

async function push() {
  const held = told.length;
  try {
    const done = await Promise.race([outbox.replicate.to(inbox, { batch_size: 7 }), stalled()]);
    if (!done.ok || done.doc_write_failures) throw new Error(`not all was taken: ${JSON.stringify(done)}`);
    tell({ kept: told.splice(0, held) });
    return true;
  } catch (error) {
    tell({ error: `${error.status ?? ""} ${error.name ?? ""} ${error.reason ?? error.message}`.trim() });
    await pause(50);
    return false;
  }
}

while (!ended) {
  await work();
  await push();
  await pause(500);
}
while (!(await push()));
process.exit(0);
