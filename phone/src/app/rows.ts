/** The rows of the lists, computed when the register, the records or the day change. */
import { computed, signal } from "@preact/signals";
import { buildRows, effects, progress, type Row } from "../lists/today";
import { isOut } from "../records/chain";
import { UNIT_KINDS, type UnitKind } from "../lists/units";
import { recordUnit } from "./filling";
import { formsFor } from "./names";
import { now } from "./phone";
import { filler, own, register } from "./state";

const REFRESH_MS = 5 * 60_000;
const tick = signal(0);
setInterval(() => (tick.value += 1), REFRESH_MS);
addEventListener("focus", () => (tick.value += 1));

function rowsOf(kind: UnitKind) {
  return computed<Row[]>(() => {
    void tick.value;
    const { held, of } = register.value;
    // What the district has not counted and will not leaves its unit to be done.
    const counting = own.value.filter((each) => each.record.village_code === of && !isOut(each.state));
    const mine = counting.map((each) => each.record);
    const known = effects(kind, mine, (record) => {
      const unit = recordUnit(record);
      return unit?.kind === kind ? unit.id : undefined;
    });
    return buildRows(kind, { households: held.households.values(), points: held.points.values(), roster: held.roster.values() }, known, now(), filler.value?.grid_code);
  });
}

export const rows = { household: rowsOf("household"), point: rowsOf("point"), roster: rowsOf("roster") };
export const progressOf = {
  household: computed(() => progress(rows.household.value)),
  point: computed(() => progress(rows.point.value)),
  roster: computed(() => progress(rows.roster.value)),
};
export const kinds = computed(() => UNIT_KINDS.filter((kind) => kind === "household" || (rows[kind].value.length > 0 && formsFor(kind).length > 0)));
