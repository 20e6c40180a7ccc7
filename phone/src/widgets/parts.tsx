/** Small parts that every screen is made of. */
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { t } from "../i18n";

const PATHS = {
  back: "M15 5l-7 7 7 7",
  close: "M6 6l12 12M18 6L6 18",
  next: "M9 5l7 7-7 7",
  check: "M5 13l4 4L19 7",
  scan: "M4 8V4h4M16 4h4v4M20 16v4h-4M8 20H4v-4M4 12h16",
  home: "M4 11l8-7 8 7v9h-5v-6H9v6H4z",
  list: "M5 6h14M5 12h14M5 18h14",
  person: "M12 12a4 4 0 100-8 4 4 0 000 8zM4 21c0-4 4-6 8-6s8 2 8 6",
  camera: "M4 8h4l2-3h4l2 3h4v11H4zM12 16a3 3 0 100-6 3 3 0 000 6z",
  pin: "M12 21c5-6 7-9 7-12a7 7 0 10-14 0c0 3 2 6 7 12zM12 11a2 2 0 100-4 2 2 0 000 4z",
  mic: "M12 15a3 3 0 003-3V6a3 3 0 10-6 0v6a3 3 0 003 3zM6 11a6 6 0 0012 0M12 17v4",
  plus: "M12 5v14M5 12h14",
  minus: "M5 12h14",
  search: "M11 18a7 7 0 100-14 7 7 0 000 14zM20 20l-4-4",
  sync: "M4 12a8 8 0 0114-5l2 2M20 4v5h-5M20 12a8 8 0 01-14 5l-2-2M4 20v-5h5",
  warn: "M12 4l9 16H3zM12 10v4M12 17v.5",
  trash: "M5 7h14M9 7V4h6v3M7 7l1 13h8l1-13",
} as const;
export type IconName = keyof typeof PATHS;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}

/** `back` is an address or an action. */
export function TopBar({ title, sub, back, children }: { title: string; sub?: string; back?: string | (() => void); children?: ComponentChildren }) {
  const label = t("back");
  return (
    <header class="top">
      {typeof back === "string" && (
        <a class="square" href={back} aria-label={label}>
          <Icon name="back" />
        </a>
      )}
      {typeof back === "function" && (
        <button class="square" type="button" aria-label={label} onClick={back}>
          <Icon name="back" />
        </button>
      )}
      <div class="top-text">
        <h1>{title}</h1>
        {sub && <p>{sub}</p>}
      </div>
      {children}
    </header>
  );
}

export function Banner({ kind, children, action, onAction, icon = "warn" }: { kind: "bad" | "warn" | "info"; children: ComponentChildren; action?: string; onAction?: () => void; icon?: IconName }) {
  return (
    <div class={`banner ${kind}`} role={kind === "bad" ? "alert" : "status"}>
      <Icon name={icon} />
      <p>{children}</p>
      {action && (
        <button type="button" class="small" onClick={onAction}>
          {action}
        </button>
      )}
    </div>
  );
}

/** A modal sheet from below; Escape and the backdrop close it. */
export function Sheet({ title, close, children, tall }: { title: string; close: () => void; children: ComponentChildren; tall?: boolean }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog
      ref={dialog}
      class={tall ? "sheet tall" : "sheet"}
      aria-label={title}
      onClose={close}
      onClick={(event) => {
        if (event.target === dialog.current) close();
      }}
    >
      <div class="sheet-body">
        <header class="sheet-top">
          <h2>{title}</h2>
          <button class="square" type="button" aria-label={t("close")} onClick={close}>
            <Icon name="close" />
          </button>
        </header>
        {children}
      </div>
    </dialog>
  );
}

export function SearchBox({ value, label, onInput, onScan }: { value: string; label: string; onInput: (text: string) => void; onScan?: () => void }) {
  return (
    <div class="search">
      <Icon name="search" />
      <input type="search" value={value} aria-label={label} placeholder={label} autocomplete="off" enterkeyhint="search" onInput={(event) => onInput(event.currentTarget.value)} />
      {onScan && (
        <button type="button" class="square" aria-label={t("scan")} onClick={onScan}>
          <Icon name="scan" />
        </button>
      )}
    </div>
  );
}
