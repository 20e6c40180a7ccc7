import { begin, recordUnit } from "../app/filling";
import { codeLabel, formsFor, formTitle, wordsOf } from "../app/names";
import { now } from "../app/phone";
import { address, go } from "../app/route";
import { rows } from "../app/rows";
import { own, register } from "../app/state";
import { t } from "../i18n";
import type { Household, Point, RosterEntry } from "../documents";
import type { Row } from "../lists/today";
import type { UnitKind } from "../lists/units";
import { TopBar } from "../widgets/parts";
import { RecordRow } from "./records";

const dayAndTime = (at: string) => (at.startsWith(now().slice(0, 10)) && at.length > 10 ? at.slice(11, 16) : at.slice(5, 16).replace("T", " "));

export function StateMark({ row }: { row: Row }) {
  return <em class={`mark ${row.todo}`}>{t(`${row.todo}_${wordsOf(row.kind)}`)}</em>;
}

/** What is known of the last time and the next, in one line. */
export function whenText(row: Row): string {
  if (row.own) return t("own_not_counted");
  if (row.kind === "point") {
    if (!row.at) return t("never");
    return row.todo === "done" && row.next ? t("due", { at: dayAndTime(row.next) }) : t("overdue", { at: dayAndTime(row.at) });
  }
  if (row.next && row.todo !== "done") return t("appointment", { at: dayAndTime(row.next) });
  if (!row.at && !row.result) return "";
  return `${t("last")} ${row.at ? dayAndTime(row.at) : ""} ${codeLabel(row.kind, row.result)}`;
}

function details(kind: UnitKind, id: string): [string, string][] {
  const held = register.value.held;
  const entry = (kind === "household" ? held.households : kind === "point" ? held.points : held.roster).get(id) as (Partial<Omit<Household, "type" | "summary">> & Partial<Omit<Point, "type" | "summary">> & Partial<Omit<RosterEntry, "type" | "summary">>) | undefined;
  if (!entry) return [];
  const lines: [string, string | undefined][] = [
    ["", entry.address],
    ["", entry.category && codeLabel("roster", entry.category)],
    ["", entry.place_type && codeLabel("point", entry.place_type)],
    ["", entry.entitlement?.map((item) => `${codeLabel("roster", item.item_code)} ${item.qty}${codeLabel("roster", item.unit)}`).join("、")],
  ];
  return lines.filter((line): line is [string, string] => Boolean(line[1]));
}

export function UnitPage({ kind, id }: { kind: UnitKind; id: string }) {
  const row = rows[kind].value.find((each) => each.id === id);
  const records = own.value.filter(({ record }) => {
    const unit = recordUnit(record);
    return unit?.kind === kind && unit.id === id;
  });
  return (
    <>
      <TopBar title={row?.title ?? id} sub={id} back={address()} />
      <main class="page with-foot">
        {row && (
          <section class="card">
            <p class="unit-state">
              <StateMark row={row} /> {whenText(row)}
            </p>
            {details(kind, id).map(([, text]) => (
              <p key={text}>{text}</p>
            ))}
          </section>
        )}
        {records.length > 0 && (
          <section class="card">
            <h2>{t("more_records")}</h2>
            <ul class="records">
              {records.map((each) => (
                <RecordRow key={each.record._id} own={each} />
              ))}
            </ul>
          </section>
        )}
      </main>
      <footer class="foot">
        {formsFor(kind).map((form) => (
          <button key={form.form_id} type="button" class="primary big" onClick={() => void begin(form, { kind, id }).then((draft) => go("form", draft))}>
            {t("start_form", { form: formTitle(form) })}
          </button>
        ))}
      </footer>
    </>
  );
}
