import { useEffect, useRef, useState } from "preact/hooks";
import { t } from "../i18n";
import { Icon } from "../widgets/parts";
import { Scanner } from "../widgets/scanner";
import { scannedId } from "../lists/search";
import type { Ask } from "./ask";

const keypad = (ask: Ask): string => String(ask.field.elder?.["keypad"] ?? "");
const isNumbers = (ask: Ask) => ask.field.appearance?.includes("numbers") ?? false;

/** Keys that a numeric keypad lacks but the answer may need. */
function ExtraKeys({ ask }: { ask: Ask }) {
  const value = String(ask.field.value ?? "");
  if (keypad(ask) === "id")
    return (
      <button type="button" class="key" onClick={() => ask.set(`${value}X`)}>
        {t("key_x")}
      </button>
    );
  if (keypad(ask) === "phone")
    return (
      <button type="button" class="key" onClick={() => ask.set("无")}>
        {t("key_no_phone")}
      </button>
    );
  return null;
}

export function TextQuestion({ ask }: { ask: Ask }) {
  const common = {
    id: ask.id,
    value: String(ask.field.value ?? ""),
    disabled: ask.field.readOnly,
    autocomplete: "off",
    "aria-describedby": ask.describedBy,
    "aria-invalid": ask.invalid,
    "aria-required": ask.field.required,
    onBlur: ask.touch,
  };
  const change = (text: string) => ask.set(text === "" ? undefined : text);
  if (ask.field.appearance?.includes("multiline")) return <textarea {...common} rows={3} onInput={(event) => change(event.currentTarget.value)} />;
  return (
    <div class="with-key">
      <input {...common} type="text" inputMode={isNumbers(ask) ? "numeric" : "text"} spellcheck={false} onInput={(event) => change(event.currentTarget.value)} />
      <ExtraKeys ask={ask} />
    </div>
  );
}

/** What may stand in a number while it is being typed; full-width digits and points count too. */
export function cleanNumber(input: string, decimal: boolean): string {
  const plain = input.normalize("NFKC").replace(/[。,]/g, ".");
  const kept = plain.replace(decimal ? /[^\d.-]/g : /[^\d-]/g, "");
  const [whole = "", ...rest] = kept.split(".");
  return rest.length ? `${whole}.${rest.join("")}` : whole;
}

/** A default is replaced by typing. Later, because the tap that gives the focus also sets the caret. */
function selectLater(event: FocusEvent): void {
  const box = event.currentTarget as HTMLInputElement;
  setTimeout(() => box.select());
}

const numberOf = (text: string): number | undefined => (/\d/.test(text) && Number.isFinite(Number(text)) ? Number(text) : undefined);

export function NumberQuestion({ ask, decimal }: { ask: Ask; decimal: boolean }) {
  const { value } = ask.field;
  const [text, setText] = useState(value === undefined ? "" : String(value));
  const typed = useRef(value);
  useEffect(() => {
    // Somebody else changed it: a default, a calculation, an accepted offer.
    if (value !== typed.current) setText(value === undefined ? "" : String(value));
    typed.current = value;
  }, [value]);
  const write = (input: string) => {
    const clean = cleanNumber(input, decimal);
    setText(clean);
    typed.current = numberOf(clean);
    ask.set(typed.current);
  };
  const step = (by: number) => {
    write(String(Math.max(0, (numberOf(text) ?? 0) + by)));
    ask.touch();
  };
  return (
    <div class="number">
      {!decimal && (
        <button type="button" class="key" aria-label={t("minus")} disabled={ask.field.readOnly} onClick={() => step(-1)}>
          <Icon name="minus" />
        </button>
      )}
      <input
        id={ask.id}
        type="text"
        inputMode={decimal ? "decimal" : "numeric"}
        autocomplete="off"
        value={text}
        disabled={ask.field.readOnly}
        aria-describedby={ask.describedBy}
        aria-invalid={ask.invalid}
        aria-required={ask.field.required}
        onFocus={selectLater}
        onInput={(event) => write(event.currentTarget.value)}
        onBlur={ask.touch}
      />
      {!decimal && (
        <button type="button" class="key" aria-label={t("plus")} disabled={ask.field.readOnly} onClick={() => step(1)}>
          <Icon name="plus" />
        </button>
      )}
    </div>
  );
}

export function BarcodeQuestion({ ask }: { ask: Ask }) {
  const [scanning, setScanning] = useState(false);
  return (
    <div class="with-key">
      <input
        id={ask.id}
        type="text"
        value={String(ask.field.value ?? "")}
        autocomplete="off"
        disabled={ask.field.readOnly}
        aria-describedby={ask.describedBy}
        aria-invalid={ask.invalid}
        onInput={(event) => ask.set(event.currentTarget.value || undefined)}
        onBlur={ask.touch}
      />
      <button type="button" class="key" aria-label={t("scan")} onClick={() => setScanning(true)}>
        <Icon name="scan" />
      </button>
      {scanning && (
        <Scanner
          close={() => setScanning(false)}
          found={(code) => {
            setScanning(false);
            ask.set(scannedId(code));
            ask.touch();
          }}
        />
      )}
    </div>
  );
}
