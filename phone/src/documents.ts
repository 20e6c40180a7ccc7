/** The documents that the phone reads and writes, as docs/architecture.md gives them. */
import type { Answers, Confirmation, GeoPoint, Problem, Text } from "./forms";

export interface Village {
  code: string;
  name: string;
}
export interface Filler {
  filler_id: string;
  name: string;
  role: string;
  village_code: string;
  grid_code?: string;
}
export interface Item {
  item_code: string;
  qty: number;
  unit?: string;
}

export interface VillageEntry {
  type: "village";
  code: string;
  name: string;
  town_code: string;
  town_name: string;
}
export interface Household {
  type: "household";
  household_id: string;
  village_code: string;
  grid_code?: string;
  door_no?: string;
  address?: string;
  head_name?: string;
  head_search?: string;
  active_to?: string;
  summary?: { last_visit_date?: string; last_result?: string; last_contacted_date?: string; next_visit_at?: string; visits?: number; resident_count?: number };
}
export interface Point {
  type: "point";
  point_id: string;
  village_code: string;
  name: string;
  name_search?: string;
  place_type?: string;
  interval_h?: number;
  active_to?: string;
  summary?: { last_ended_at?: string; next_due?: string };
}
export interface RosterEntry {
  type: "roster_entry";
  roster_entry_id: string;
  campaign_id: string;
  entry_no: string | number;
  household_id?: string;
  head_name?: string;
  head_search?: string;
  category?: string;
  village_code: string;
  entitlement: Item[];
  active_to?: string;
  summary?: { delivered?: Item[]; state?: "open" | "partial" | "done"; last_result?: string };
}
export interface Campaign {
  type: "campaign";
  campaign_id: string;
  name: Text;
}
export interface FillerEntry extends Filler {
  type: "filler";
}
export interface Station {
  type: "station";
  station_id: string;
  name: string;
}

export type VerdictStatus = "accepted" | "accepted_with_warnings" | "quarantined" | "returned";
export interface Verdict {
  type: "verdict";
  record_id: string;
  status: VerdictStatus;
  problems: Problem[];
  comment?: string;
  decided_at: string;
  /** Staff took the record out of the figures; `duplicate_of` is the record that stays. */
  voided?: { at: string; reason: string; duplicate_of?: string };
}

export type RegisterDocument = VillageEntry | Household | Point | RosterEntry | Campaign | FillerEntry | Station | Verdict;

/** A record as it lies in the outbox: immutable from the moment it is written. */
export interface FormRecord {
  _id: string;
  type: "record";
  form_id: string;
  form_version: string;
  work_date: string;
  captured_at: string;
  started_at: string;
  ended_at: string;
  clock_skew_s?: number;
  device_id: string;
  filler_id: string;
  village_code: string;
  gps?: GeoPoint;
  supersedes?: string;
  correction_reason?: string;
  voided?: true;
  answers: Answers;
  confirmed: Confirmation[];
  [envelope: string]: unknown;
}
