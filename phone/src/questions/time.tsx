import { now } from "../app/phone";
import { t } from "../i18n";
import type { Ask } from "./ask";

/** The picker has no zone and no seconds: what it shows is Beijing time. */
const forPicker = (value: unknown): string => (typeof value === "string" ? value.slice(0, 16) : "");
const fromPicker = (value: string): string | undefined => (value ? `${value.slice(0, 16)}:00+08:00` : undefined);

export function DateQuestion({ ask }: { ask: Ask }) {
  return (
    <div class="with-key">
      <input
        id={ask.id}
        type="date"
        value={String(ask.field.value ?? "")}
        disabled={ask.field.readOnly}
        aria-describedby={ask.describedBy}
        aria-invalid={ask.invalid}
        aria-required={ask.field.required}
        onInput={(event) => ask.set(event.currentTarget.value || undefined)}
        onBlur={ask.touch}
      />
      <button type="button" class="key" disabled={ask.field.readOnly} onClick={() => ask.set(now().slice(0, 10))}>
        {t("today")}
      </button>
    </div>
  );
}

export function DateTimeQuestion({ ask }: { ask: Ask }) {
  return (
    <div class="with-key">
      <input
        id={ask.id}
        type="datetime-local"
        value={forPicker(ask.field.value)}
        disabled={ask.field.readOnly}
        aria-describedby={ask.describedBy}
        aria-invalid={ask.invalid}
        aria-required={ask.field.required}
        onInput={(event) => ask.set(fromPicker(event.currentTarget.value))}
        onBlur={ask.touch}
      />
      <button
        type="button"
        class="key"
        disabled={ask.field.readOnly}
        onClick={() => {
          ask.set(now());
          ask.touch();
        }}
      >
        {t("now")}
      </button>
    </div>
  );
}
