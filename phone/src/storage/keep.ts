/**
 * The phone's own small database beside PouchDB's: who the device is, drafts and their photos, receipts.
 *
 * Every value goes in and out through `read`, `write` and `remove`, so this is the one place that decides how it lies on disk.
 */

const NAME = "gridbook";
const VERSION = 1;
export type Store = "device" | "drafts" | "media" | "receipts";
const STORES: Store[] = ["device", "drafts", "media", "receipts"];

let opening: Promise<IDBDatabase> | undefined;

function open(): Promise<IDBDatabase> {
  opening ??= new Promise<IDBDatabase>((resolve, reject) => {
    const request = indexedDB.open(NAME, VERSION);
    request.onupgradeneeded = () => STORES.forEach((store) => request.result.createObjectStore(store));
    request.onsuccess = () => {
      // Another tab with a later version must not wait for this one.
      request.result.onversionchange = () => request.result.close();
      resolve(request.result);
    };
    request.onerror = () => reject(request.error);
  }).catch((error: unknown) => {
    opening = undefined;
    throw error;
  });
  return opening;
}

function settled<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

function completed(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error);
    transaction.onerror = () => reject(transaction.error);
  });
}

export async function read<T>(store: Store, key: string): Promise<T | undefined> {
  const database = await open();
  return settled(database.transaction(store).objectStore(store).get(key) as IDBRequest<T | undefined>);
}

export async function readAll<T>(store: Store): Promise<T[]> {
  const database = await open();
  return settled(database.transaction(store).objectStore(store).getAll() as IDBRequest<T[]>);
}

/** Resolves when the value is in the database. `strict` also asks the system to have it on disk. */
export async function write(store: Store, key: string, value: unknown, durability: "strict" | "relaxed" = "relaxed"): Promise<void> {
  const database = await open();
  const transaction = database.transaction(store, "readwrite", { durability });
  transaction.objectStore(store).put(value, key);
  transaction.commit(); // so that it is kept also when the page goes before it could hear of it
  await completed(transaction);
}

/** Removes the key, and in the same step every key of `media` that begins with `<key>/`. */
export async function remove(store: Store, key: string): Promise<void> {
  const database = await open();
  const transaction = database.transaction([store, "media"], "readwrite", { durability: "strict" });
  transaction.objectStore(store).delete(key);
  transaction.objectStore("media").delete(IDBKeyRange.bound(`${key}/`, `${key}/\uffff`));
  await completed(transaction);
}
