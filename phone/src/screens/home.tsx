import { signal } from "@preact/signals";
import { useState } from "preact/hooks";
import { begin } from "../app/filling";
import { codeLabel, formsFor, formsWithoutUnit, formOf, formTitle, wordsOf } from "../app/names";
import { notify } from "../app/notice";
import { chooseVillage, nowMs, reloadDrafts } from "../app/phone";
import { address, go } from "../app/route";
import { kinds, progressOf, rows } from "../app/rows";
import { drafts, filler, identity, register, status, toCorrect, villageCode } from "../app/state";
import { shortTime } from "../clock";
import { t } from "../i18n";
import { scannedId, search } from "../lists/search";
import type { Row } from "../lists/today";
import type { UnitKind } from "../lists/units";
import { dropDraft, type Draft } from "../storage/drafts";
import { Icon, SearchBox, Sheet } from "../widgets/parts";
import { Scanner } from "../widgets/scanner";
import { VirtualList } from "../widgets/virtual";
import { SyncLine } from "./syncline";
import { StateMark, whenText } from "./unit";

const ROW_PX = 84;
/** Kept while the app is open, so that coming back from a household finds the list as it was. */
const tab = signal<UnitKind>("household");
const onlyTodo = signal(true);
const query = signal("");

export function Home() {
  return (
    <>
      <VillageHeader />
      <main class="page">
        <SyncLine />
        {toCorrect.value.length > 0 && (
          <a class="banner bad link" href={address("records", "correct")}>
            <Icon name="warn" />
            <p>{t("banner_correct", { n: toCorrect.value.length })}</p>
            <Icon name="next" />
          </a>
        )}
        <Drafts />
        <UnitList />
        <OtherForms />
      </main>
    </>
  );
}

function VillageHeader() {
  const [choosing, setChoosing] = useState(false);
  const villages = identity.value?.villages ?? [];
  const name = register.value.held.village?.name ?? villages.find((village) => village.code === villageCode.value)?.name ?? "";
  return (
    <header class="top home-top">
      <div class="top-text">
        <h1>
          {villages.length > 1 ? (
            <button type="button" class="plain heading" aria-haspopup="dialog" onClick={() => setChoosing(true)}>
              {name} <span aria-hidden="true">▾</span>
            </button>
          ) : (
            name
          )}
        </h1>
      </div>
      <a class="pill" href={address("filler")}>
        <Icon name="person" />
        {filler.value?.name ?? t("me_filler")}
      </a>
      {choosing && (
        <Sheet title={t("village_choose")} close={() => setChoosing(false)}>
          <ul class="choices">
            {villages.map((village) => (
              <li key={village.code}>
                <button
                  type="button"
                  class="choice"
                  aria-pressed={village.code === villageCode.value}
                  onClick={() => {
                    setChoosing(false);
                    void chooseVillage(village.code);
                  }}
                >
                  <strong>{village.name}</strong>
                </button>
              </li>
            ))}
          </ul>
        </Sheet>
      )}
    </header>
  );
}

function Drafts() {
  const open = drafts.value;
  if (!open.length) return null;
  return (
    <section class="card" aria-label={t("banner_drafts")} data-testid="drafts">
      <h2>{t("banner_drafts")}</h2>
      <ul class="drafts">
        {open.map((draft) => (
          <DraftRow key={draft.draft_id} draft={draft} />
        ))}
      </ul>
    </section>
  );
}

function DraftRow({ draft }: { draft: Draft }) {
  const [asking, setAsking] = useState(false);
  const title = formTitle(formOf(draft.form_id, draft.form_version), draft.form_id);
  const discard = async () => {
    await dropDraft(draft.draft_id);
    await reloadDrafts();
  };
  return (
    <li data-testid="draft">
      <a class="grow" href={address("form", draft.draft_id)}>
        <strong>{draft.unit?.label ?? title}</strong>
        <span>
          {title} · {shortTime(draft.updated_ms, nowMs())}
        </span>
      </a>
      <button type="button" class="square" aria-label={`${t("draft_delete")} ${draft.unit?.label ?? title}`} onClick={() => setAsking(true)}>
        <Icon name="trash" />
      </button>
      {asking && (
        <Sheet title={t("draft_delete")} close={() => setAsking(false)}>
          <p>{t("draft_delete_ask")}</p>
          <div class="buttons">
            <button type="button" class="secondary big" onClick={() => setAsking(false)}>
              {t("cancel")}
            </button>
            <button type="button" class="danger big" onClick={() => void discard()}>
              {t("draft_delete")}
            </button>
          </div>
        </Sheet>
      )}
    </li>
  );
}

function UnitList() {
  const [scanning, setScanning] = useState(false);
  const kind = kinds.value.includes(tab.value) ? tab.value : "household";
  const all = rows[kind].value;
  const { done, tried, all: count } = progressOf[kind].value;
  const wanted = query.value.trim();
  const shown = wanted ? search(all, wanted) : onlyTodo.value ? all.filter((row) => row.todo !== "done") : all;
  const scanned = (code: string) => {
    setScanning(false);
    const id = scannedId(code);
    const hit = kinds.value.flatMap((each) => rows[each].value).find((row) => row.id === id || row.id === code.trim());
    if (hit) go("unit", hit.kind, hit.id);
    else notify(t("scan_unknown", { code: id }));
  };
  return (
    <section aria-label={t(`tab_${kind}`)}>
      <div class="tabs" role="tablist">
        {kinds.value.map((each) => (
          <button key={each} type="button" role="tab" aria-selected={each === kind} onClick={() => (tab.value = each)}>
            {t(`tab_${each}`)}
            <span class="count">{progressOf[each].value.all - progressOf[each].value.done}</span>
          </button>
        ))}
      </div>
      <div class="progress">
        <progress max={count || 1} value={done} aria-label={t(`progress_${wordsOf(kind)}`, { done, all: count })} />
        <p data-testid="progress">
          {t(`progress_${wordsOf(kind)}`, { done, all: count })}
          {tried > 0 && kind !== "point" && wordsOf(kind) === kind && t(kind === "household" ? "progress_tried" : "progress_partial", { tried })}
        </p>
      </div>
      <div class="finder">
        <SearchBox value={query.value} label={t(`search_${kind}`)} onInput={(text) => (query.value = text)} onScan={() => setScanning(true)} />
        <div class="segment" role="group">
          <button type="button" aria-pressed={onlyTodo.value} onClick={() => (onlyTodo.value = true)}>
            {t("list_todo")}
          </button>
          <button type="button" aria-pressed={!onlyTodo.value} onClick={() => (onlyTodo.value = false)}>
            {t("list_all")}
          </button>
          <span class="list-count" aria-live="polite">
            {t("list_count", { n: shown.length })}
          </span>
        </div>
      </div>
      {shown.length > 0 ? (
        <VirtualList items={shown} rowPx={ROW_PX} keyOf={(row) => row.id}>
          {(row) => <UnitRow row={row} />}
        </VirtualList>
      ) : (
        <EmptyList any={count > 0} searched={wanted !== ""} />
      )}
      <WithoutUnit kind={kind} />
      {scanning && <Scanner close={() => setScanning(false)} found={scanned} />}
    </section>
  );
}

function EmptyList({ any, searched }: { any: boolean; searched: boolean }) {
  const pulled = status.value.phase === "working" ? status.value.pulled : 0;
  const text = searched ? t("none_found") : any ? t("list_all_done") : pulled ? t("list_downloading", { n: pulled }) : t("list_empty");
  return (
    <p class="empty" role="status">
      {text}
    </p>
  );
}

function UnitRow({ row }: { row: Row }) {
  const [form] = formsFor(row.kind);
  const start = async () => form && go("form", await begin(form, { kind: row.kind, id: row.id }));
  return (
    <div class="row" data-testid="unit-row" data-id={row.id} data-todo={row.todo}>
      <a class="grow" href={address("unit", row.kind, row.id)}>
        <strong>{row.title}</strong>
        <span class="row-sub">
          <StateMark row={row} />
          {whenText(row) || (row.kind === "roster" ? codeLabel("roster", row.subtitle) : row.subtitle)}
        </span>
      </a>
      {form && row.todo !== "done" && (
        <button type="button" class="go" aria-label={`${t(`go_${wordsOf(row.kind)}`)} ${row.title}`} onClick={() => void start()}>
          {t(`go_${wordsOf(row.kind)}`)}
        </button>
      )}
    </div>
  );
}

function WithoutUnit({ kind }: { kind: UnitKind }) {
  return (
    <div class="stack">
      {formsFor(kind).map((form) => (
        <button key={form.form_id} type="button" class="secondary big wide" onClick={() => void begin(form).then((id) => go("form", id))}>
          <Icon name="plus" />
          {t("new_without_unit")} {t("start_form", { form: formTitle(form) })}
        </button>
      ))}
    </div>
  );
}

/** Forms that are about no household, point or roster entry. */
function OtherForms() {
  const others = formsWithoutUnit();
  if (!others.length) return null;
  return (
    <section class="card" aria-label={t("other_forms")} data-testid="other-forms">
      <h2>{t("other_forms")}</h2>
      <div class="stack">
        {others.map((form) => (
          <button key={form.form_id} type="button" class="secondary big wide" onClick={() => void begin(form).then((id) => go("form", id))}>
            <Icon name="plus" />
            {t("start_form", { form: formTitle(form) })}
          </button>
        ))}
      </div>
    </section>
  );
}
