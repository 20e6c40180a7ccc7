/** Who this phone is: its enrolment, and what it remembers between openings. */
import type { Filler, Village } from "../documents";
import { read, write } from "./keep";

export interface Identity {
  device_id: string;
  token: string;
  villages: Village[];
  fillers: Filler[];
  /** Of the server that this phone has compared everything with; one that calls itself otherwise was put in its place. */
  server_uuid: string;
  district: { zh: string; en: string };
}

export interface Memory {
  identity: Identity;
  /** Set when the server said that the device is revoked; its data stay. */
  revoked: boolean;
  /** Villages that this phone was once for: what it made there may still wait. */
  past_villages: string[];
  filler_id: string;
  village_code: string;
  lang: "zh" | "en";
  clock_skew_s: number;
  last_reached_ms: number;
}

export function recall<Key extends keyof Memory>(key: Key): Promise<Memory[Key] | undefined> {
  return read<Memory[Key]>("device", key);
}

export function remember<Key extends keyof Memory>(key: Key, value: Memory[Key]): Promise<void> {
  return write("device", key, value);
}
