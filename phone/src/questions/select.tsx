import { useState } from "preact/hooks";
import { entryLabel, entrySearch, lookUp } from "../app/names";
import { notify } from "../app/notice";
import type { Choice } from "../forms";
import { t } from "../i18n";
import { scannedId } from "../lists/search";
import { Icon, SearchBox, Sheet } from "../widgets/parts";
import { Scanner } from "../widgets/scanner";
import type { Ask } from "./ask";

const BUTTONS_AT_MOST = 12;
const SHOWN_AT_MOST = 60;

interface Option extends Choice {
  search: string;
}

/** A Han character is about twice as wide as a Latin letter. */
const width = (label: string) => [...label].reduce((sum, letter) => sum + (letter.codePointAt(0)! > 0x2e7f ? 2 : 1), 0);

/** How many fit beside each other on a narrow phone. */
export function columns(choices: Choice[]): 1 | 2 | 3 {
  const widths = choices.map((choice) => width(choice.label)).sort((a, b) => a - b);
  const widest = widths.at(-1) ?? 0;
  const longestWord = Math.max(0, ...choices.flatMap((choice) => choice.label.split(/[\s\p{Script=Han}]+/u)).map((part) => part.length));
  if (choices.length === 3 && widest <= 8) return 3;
  if (longestWord > 10) return 1;
  // In a long list a few labels may wrap, as long as most fit.
  const usual = choices.length > 6 ? (widths[Math.floor(widths.length * 0.8)] ?? 0) : widest;
  return usual <= 15 && choices.length > 1 ? 2 : 1;
}

const chosenOf = (ask: Ask): string[] => (Array.isArray(ask.field.value) ? ask.field.value : ask.field.value === undefined ? [] : [String(ask.field.value)]);

function options(ask: Ask): Option[] {
  const { choices, listName } = ask.field;
  if (choices?.length || !listName) return (choices ?? []).map((choice) => ({ ...choice, search: `${choice.name} ${choice.label}`.toLowerCase() }));
  return [...lookUp(listName)].map(([name, entry]) => ({ name, label: entryLabel(entry) || name, search: entrySearch(name, entry) }));
}

export function SelectQuestion({ ask, multiple }: { ask: Ask; multiple: boolean }) {
  const many = ask.field.listName !== undefined || (ask.field.choices?.length ?? 0) > (multiple ? 2 * BUTTONS_AT_MOST : BUTTONS_AT_MOST);
  return many ? <PickQuestion ask={ask} multiple={multiple} /> : <ButtonsQuestion ask={ask} multiple={multiple} />;
}

function ButtonsQuestion({ ask, multiple }: { ask: Ask; multiple: boolean }) {
  const choices = ask.field.choices ?? [];
  const chosen = chosenOf(ask);
  const pick = (name: string) => {
    if (!multiple) ask.set(name);
    else {
      const next = chosen.includes(name) ? chosen.filter((each) => each !== name) : [...chosen, name];
      ask.set(next.length ? next : undefined);
    }
    ask.touch();
  };
  return (
    <div class={`options columns-${columns(choices)}`} role={multiple ? "group" : "radiogroup"} id={ask.id} tabIndex={-1} aria-labelledby={`${ask.id}-label`} aria-describedby={ask.describedBy}>
      {choices.map((choice) => (
        <label key={choice.name} class="option">
          <input
            type={multiple ? "checkbox" : "radio"}
            name={ask.id}
            value={choice.name}
            checked={chosen.includes(choice.name)}
            disabled={ask.field.readOnly}
            aria-invalid={ask.invalid}
            onChange={() => pick(choice.name)}
          />
          <span>{choice.label}</span>
        </label>
      ))}
    </div>
  );
}

function PickQuestion({ ask, multiple }: { ask: Ask; multiple: boolean }) {
  const [picking, setPicking] = useState(false);
  const [scanning, setScanning] = useState(false);
  const chosen = chosenOf(ask);
  const labelOf = (name: string) => {
    const { listName, choices } = ask.field;
    return choices?.find((choice) => choice.name === name)?.label ?? (listName && entryLabel(lookUp(listName).get(name))) ?? name;
  };
  const shown = chosen.map((name) => labelOf(name) || name).join("、");
  const scanned = (code: string) => {
    setScanning(false);
    const id = scannedId(code);
    const hit = options(ask).find((option) => option.name === id || option.name === code.trim());
    if (hit) ask.set(multiple ? [...new Set([...chosen, hit.name])] : hit.name);
    else notify(t("scan_unknown", { code: id }));
    ask.touch();
  };
  return (
    <div class="with-key">
      <button type="button" id={ask.id} class="picker" aria-haspopup="dialog" disabled={ask.field.readOnly} aria-labelledby={`${ask.id}-label ${ask.id}`} aria-describedby={ask.describedBy} onClick={() => setPicking(true)}>
        <span class={shown ? "" : "placeholder"}>{shown || t("choose")}</span>
        <Icon name="next" />
      </button>
      {ask.field.appearance?.includes("barcode") && !ask.field.readOnly && (
        <button type="button" class="key" aria-label={t("scan")} onClick={() => setScanning(true)}>
          <Icon name="scan" />
        </button>
      )}
      {picking && (
        <PickList
          ask={ask}
          multiple={multiple}
          chosen={chosen}
          close={() => {
            setPicking(false);
            ask.touch();
          }}
        />
      )}
      {scanning && <Scanner close={() => setScanning(false)} found={scanned} />}
    </div>
  );
}

function PickList({ ask, multiple, chosen, close }: { ask: Ask; multiple: boolean; chosen: string[]; close: () => void }) {
  const [query, setQuery] = useState("");
  const [all] = useState(() => options(ask));
  const words = query.normalize("NFKC").trim().toLowerCase().split(/\s+/);
  const found = all.filter((option) => words.every((word) => option.search.includes(word)));
  const pick = (name: string) => {
    if (!multiple) {
      ask.set(chosen.includes(name) && !ask.field.required ? undefined : name);
      return close();
    }
    const next = chosen.includes(name) ? chosen.filter((each) => each !== name) : [...chosen, name];
    ask.set(next.length ? next : undefined);
  };
  return (
    <Sheet title={ask.field.label} close={close} tall>
      <SearchBox value={query} label={t("choose_search")} onInput={setQuery} />
      <ul class="choices scroll">
        {found.slice(0, SHOWN_AT_MOST).map((option) => (
          <li key={option.name}>
            <button type="button" class="choice" aria-pressed={chosen.includes(option.name)} onClick={() => pick(option.name)}>
              <strong>{option.label}</strong>
              {chosen.includes(option.name) && <Icon name="check" />}
            </button>
          </li>
        ))}
        {!found.length && <li class="empty">{t("none_found")}</li>}
        {found.length > SHOWN_AT_MOST && <li class="empty">{t("list_count", { n: found.length })}</li>}
      </ul>
      {multiple && (
        <button type="button" class="primary big" onClick={close}>
          {t("choose_done")}
        </button>
      )}
    </Sheet>
  );
}
