/** Of several tabs, one syncs: whoever holds the lock. The others hand it their wishes and hear how it goes. */
import type { Status } from "./engine";

type Message = { wish: "round" } | { status: Status };

export class Leadership {
  private readonly channel = new BroadcastChannel("gridbook-sync");
  private leading = false;

  constructor(
    private readonly round: () => void,
    private readonly heard: (status: Status) => void,
  ) {
    this.channel.onmessage = (event: MessageEvent<Message>) => this.receive(event.data);
  }

  /** Calls `lead` once this tab is the one; at once where locks do not exist. */
  seek(lead: () => void): void {
    const take = () => {
      this.leading = true;
      lead();
    };
    if (!navigator.locks) return take();
    void navigator.locks.request("gridbook-sync", () => {
      take();
      return new Promise<never>(() => undefined);
    });
  }

  wish(): void {
    if (this.leading) this.round();
    else this.channel.postMessage({ wish: "round" } satisfies Message);
  }

  tell(status: Status): void {
    this.channel.postMessage({ status } satisfies Message);
  }

  private receive(message: Message): void {
    if ("status" in message) this.heard(message.status);
    else if (this.leading) this.round();
  }
}
