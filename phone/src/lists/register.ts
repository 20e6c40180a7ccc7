/** A village's register in memory: read once when the village is opened, then kept up with what replication brings. */
import type { Campaign, FillerEntry, Household, Point, RegisterDocument, RosterEntry, Station, Verdict, VillageEntry } from "../documents";
import { register } from "../storage/databases";

export class Register {
  village: VillageEntry | undefined;
  readonly households = new Map<string, Household>();
  readonly points = new Map<string, Point>();
  readonly roster = new Map<string, RosterEntry>();
  readonly campaigns = new Map<string, Campaign>();
  readonly fillers = new Map<string, FillerEntry>();
  readonly stations = new Map<string, Station>();
  readonly verdicts = new Map<string, Verdict>();

  put(document: RegisterDocument): void {
    switch (document.type) {
      case "village":
        this.village = document;
        break;
      case "household":
        this.households.set(document.household_id, document);
        break;
      case "point":
        this.points.set(document.point_id, document);
        break;
      case "roster_entry":
        this.roster.set(document.roster_entry_id, document);
        break;
      case "campaign":
        this.campaigns.set(document.campaign_id, document);
        break;
      case "filler":
        this.fillers.set(document.filler_id, document);
        break;
      case "station":
        this.stations.set(document.station_id, document);
        break;
      case "verdict":
        this.verdicts.set(document.record_id, document);
    }
  }

  /** `id` is the document's `_id`: a prefix, a colon, the entry's own id. */
  drop(id: string): void {
    const colon = id.indexOf(":");
    const maps: Record<string, Map<string, unknown>> = {
      household: this.households,
      point: this.points,
      roster: this.roster,
      campaign: this.campaigns,
      filler: this.fillers,
      station: this.stations,
      verdict: this.verdicts,
    };
    maps[id.slice(0, colon)]?.delete(id.slice(colon + 1));
  }
}

export interface Opened {
  register: Register;
  close(): void;
}

const GATHER_MS = 80;

/** `changed` is called at most every 80 ms while documents stream in. */
export async function openRegister(server: string, village: string, changed: () => void): Promise<Opened> {
  const database = register(server, village);
  const held = new Register();
  const { update_seq } = await database.info();
  const { rows } = await database.allDocs({ include_docs: true });
  for (const row of rows) if (row.doc) held.put(row.doc);

  let timer: ReturnType<typeof setTimeout> | undefined;
  const feed = database.changes({ live: true, since: update_seq, include_docs: true }).on("change", (change) => {
    if (change.deleted) held.drop(change.id);
    else if (change.doc) held.put(change.doc);
    timer ??= setTimeout(() => {
      timer = undefined;
      changed();
    }, GATHER_MS);
  });
  return {
    register: held,
    close() {
      clearTimeout(timer);
      feed.cancel();
    },
  };
}
