/**
 * The round that a phone makes whenever there is network: push every village's records, then pull the catalogue and the
 * registers, then listen until something moves. It knows no screens; `Surroundings` tells it what waits and hears what came.
 *
 * A server that was restored from a backup has another uuid, and may lack what it once acknowledged and judged. Then the round
 * asks about every record that this phone keeps and makes the copies of catalogue and registers anew. The uuid is remembered
 * at its end, so that a round that breaks off is repeated.
 *
 *   idle ──poke──► round ──ok──► listening ──change here, hidden page, broken feed, timer──► round
 *                    └─failed─► back-off ──timer, online, poke──► round
 */
import type { FormRecord } from "../documents";
import { catalogue, outbox, register, remote, type Database } from "../storage/databases";
import { backOffMs, type Waiting } from "./pace";
import { lost, push } from "./push";
import { unlessStalled } from "./stall";
import { LIVE, transport, type Contact } from "./transport";

export type Phase = "idle" | "working" | "listening" | "failed" | "offline" | "revoked";
export interface Status {
  phase: Phase;
  /** Ids refused by the server; they stay on the phone. */
  stuck: string[];
  /** Documents of the register read in the round that is running. */
  pulled: number;
}

export interface Surroundings extends Contact {
  token(): string;
  villages(): string[];
  /** Villages whose records may still wait here; more than `villages` after another enrolment. */
  outboxes(): string[];
  /** The village on the screen: its register is listened to. */
  village(): string;
  waiting(village: string): Promise<Waiting[]>;
  /** Uuid of the server that everything was compared with. */
  server(): string;
  /** Acknowledged once, without a verdict yet. */
  unjudged(village: string): Promise<Waiting[]>;
  /** Acknowledged once, whatever became of it. */
  kept(village: string): Promise<Waiting[]>;
  acknowledged(village: string, ids: string[]): Promise<void>;
  missing(village: string, ids: string[]): Promise<void>;
  /** Enrolment may have given this phone other villages. */
  refresh(): Promise<void>;
  /** The round has ended well: all that this phone keeps is on this server, and the copies hold what it has. */
  settled(server: string): Promise<void>;
  status(status: Status): void;
}

interface Stoppable {
  cancel(): void;
}

const PULL_BATCH = 250;
const REVISIT_MS = 5 * 60_000;
const SETTLE_MS = 150;
/** Longer than a single request may take. */
const STALLED_MS = 4 * 60_000;

export class Engine {
  private timer: ReturnType<typeof setTimeout> | undefined;
  private feeds: Stoppable[] = [];
  private running = false;
  private again = false;
  private stopped = true;
  private failures = 0;
  private answering = "";
  private moves: () => void = () => undefined;
  private state: Status = { phase: "idle", stuck: [], pulled: 0 };

  constructor(private readonly around: Surroundings) {}

  start(): void {
    this.stopped = false;
    addEventListener("online", this.poke);
    addEventListener("offline", this.offline);
    document.addEventListener("visibilitychange", this.visibility);
    this.poke();
  }

  stop(): void {
    this.stopped = true;
    removeEventListener("online", this.poke);
    removeEventListener("offline", this.offline);
    document.removeEventListener("visibilitychange", this.visibility);
    this.quiet();
  }

  /** Something waits, or somebody wants to know: make a round soon. */
  readonly poke = (): void => {
    if (this.stopped) return;
    if (this.running) this.again = true;
    else this.wake(SETTLE_MS);
  };

  private readonly offline = (): void => {
    this.quiet();
    this.tell({ phase: "offline" });
  };

  private readonly visibility = (): void => {
    if (document.visibilityState === "visible") this.poke();
    else this.quietFeeds();
  };

  private tell(change: Partial<Status>): void {
    this.state = { ...this.state, ...change };
    this.around.status(this.state);
  }

  private wake(ms: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.round(), ms);
  }

  private quietFeeds(): void {
    for (const feed of this.feeds.splice(0)) feed.cancel();
  }

  private quiet(): void {
    clearTimeout(this.timer);
    this.quietFeeds();
  }

  private async round(): Promise<void> {
    if (this.stopped || this.running) return;
    if (!navigator.onLine) return this.offline();
    this.quiet();
    this.running = true;
    this.tell({ phase: "working", pulled: 0 });
    try {
      await unlessStalled(STALLED_MS, (moves) => {
        this.moves = moves;
        return this.work();
      });
      this.failures = 0;
      this.running = false;
      this.listen();
    } catch (error) {
      this.running = false;
      this.failed(error);
    }
    if (this.again) {
      this.again = false;
      this.poke();
    }
  }

  private failed(error: unknown): void {
    if ((error as { status?: number }).status === 401) return this.tell({ phase: "revoked" });
    console.info("sync: will try again", error);
    this.failures += 1;
    this.tell({ phase: navigator.onLine ? "failed" : "offline" });
    this.wake(backOffMs(this.failures, Math.random()));
  }

  private async work(): Promise<void> {
    const fetch = this.transport();
    await this.handIn(fetch, this.around.unjudged);
    await this.around.refresh();
    await this.pull(catalogue(this.around.server()), remote("catalogue", fetch));
    const server = this.answering;
    if (!server) throw new Error("The server did not say who it is.");
    if (server !== this.around.server()) {
      await this.handIn(fetch, this.around.kept);
      await this.pull(catalogue(server), remote("catalogue", fetch));
    }
    for (const village of this.around.villages()) await this.pull(register(server, village), remote(`register-${village}`, fetch));
    await this.around.settled(server);
  }

  private transport(): typeof globalThis.fetch {
    this.answering = "";
    const fetch = transport(this.around.token(), this.around, (server) => (this.answering = server));
    return (...asked) => {
      this.moves();
      return fetch(...asked).finally(this.moves);
    };
  }

  private async handIn(fetch: typeof globalThis.fetch, asked: (village: string) => Promise<Waiting[]>): Promise<void> {
    const stuck: string[] = [];
    for (const village of this.around.outboxes()) stuck.push(...(await this.pushVillage(village, fetch, asked)));
    this.tell({ stuck });
  }

  /** Returns the ids that could not be handed over; a village that this phone may not write to, or that is not there, keeps its records. */
  private async pushVillage(village: string, fetch: typeof globalThis.fetch, asked: (village: string) => Promise<Waiting[]>): Promise<string[]> {
    const inbox = remote<FormRecord>(`inbox-${village}`, fetch);
    try {
      await this.around.missing(village, await lost(inbox, await asked(village)));
      const waiting = await this.around.waiting(village);
      if (!waiting.length) return [];
      const outcome = await push(outbox(village), inbox, waiting);
      await this.around.acknowledged(village, outcome.held);
      return [...outcome.refused, ...outcome.rejected];
    } catch (error) {
      if (![403, 404].includes((error as { status?: number }).status ?? 0)) throw error;
      return (await this.around.waiting(village)).map((each) => each.id);
    }
  }

  private async pull<Content extends {}>(here: Database<Content>, there: Database<Content>): Promise<void> {
    const replication = here.replicate.from(there, { batch_size: PULL_BATCH });
    replication.on("change", (change) => {
      this.moves();
      this.tell({ pulled: this.state.pulled + change.docs.length });
    });
    try {
      await replication;
    } catch (error) {
      // A village taken from this phone while it was away: its register is simply no longer renewed.
      if ((error as { status?: number }).status !== 403) throw error;
    }
  }

  private listen(): void {
    this.tell({ phase: "listening" });
    this.wake(REVISIT_MS);
    if (document.visibilityState !== "visible") return;
    const fetch = this.transport();
    const server = this.around.server();
    this.follow(catalogue(server), remote("catalogue", fetch));
    const village = this.around.village();
    if (village) this.follow(register(server, village), remote(`register-${village}`, fetch));
  }

  private follow<Content extends {}>(here: Database<Content>, there: Database<Content>): void {
    const feed = here.replicate.from(there, { ...LIVE, batch_size: PULL_BATCH } as PouchDB.Replication.ReplicateOptions);
    this.feeds.push(feed);
    feed.on("error", (error) => {
      if (!this.feeds.includes(feed)) return;
      this.quietFeeds();
      this.failed(error);
    });
    void Promise.resolve(feed as unknown as Promise<unknown>).catch(() => undefined);
  }
}
