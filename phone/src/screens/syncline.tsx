/** One line that says how things stand with the server; it claims nothing that the server has not said. */
import { nowMs, sync } from "../app/phone";
import { clockSkewS, lastReachedMs, status, unjudgedCount, waitingCount } from "../app/state";
import { shortTime } from "../clock";
import { t } from "../i18n";
import type { Key } from "../i18n/zh";
import { Icon } from "../widgets/parts";

const WRONG_CLOCK_S = 600;

export function SyncLine() {
  const { phase, stuck } = status.value;
  const counts = [unjudgedCount.value && t("sync_unjudged", { n: unjudgedCount.value }), waitingCount.value && t("sync_waiting", { n: waitingCount.value })].filter(Boolean);
  const reached = lastReachedMs.value ? t("sync_last", { at: shortTime(lastReachedMs.value, nowMs()) }) : t("sync_never");
  const skewS = clockSkewS.value ?? 0;
  return (
    <>
      <div class={`syncline ${phase}`} data-testid="sync" data-phase={phase} data-waiting={waitingCount.value} data-unjudged={unjudgedCount.value}>
        <div role="status" aria-live="polite">
          <strong>
            <i class="dot" aria-hidden="true" />
            {t(`sync_${phase}` as Key)}
          </strong>
          <span>{counts.length ? counts.join(t("comma")) : reached}</span>
          {counts.length > 0 && <span>{reached}</span>}
        </div>
        <button type="button" class="square" aria-label={t("sync_now")} onClick={sync}>
          <Icon name="sync" />
        </button>
      </div>
      {stuck.length > 0 && <p class="note warn">{t("sync_stuck", { n: stuck.length })}</p>}
      {Math.abs(skewS) > WRONG_CLOCK_S && <p class="note warn">{t("clock_wrong", { minutes: Math.round(Math.abs(skewS) / 60) })}</p>}
    </>
  );
}
