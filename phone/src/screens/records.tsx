import { useState } from "preact/hooks";
import { beginCorrection, recordUnit, withdraw } from "../app/filling";
import { formOf, formTitle, unitLabel } from "../app/names";
import { notify } from "../app/notice";
import { nowMs } from "../app/phone";
import { address, go } from "../app/route";
import { fillers, own as ownRecords, receipts } from "../app/state";
import { shortTime } from "../clock";
import type { Answer, Answers, CompiledForm, CompiledRow, Problem } from "../forms";
import { say, t } from "../i18n";
import type { Key } from "../i18n/zh";
import { hasVerdict, isFinal, needsCorrection, type OwnRecord } from "../records/chain";
import { Icon, Sheet, TopBar } from "../widgets/parts";
import { SyncLine } from "./syncline";

const titleOf = ({ record }: OwnRecord): string => {
  const unit = recordUnit(record);
  return unit ? unitLabel(unit.kind, unit.id) : formTitle(formOf(record.form_id, record.form_version), record.form_id);
};

export function RecordMark({ own }: { own: OwnRecord }) {
  return <em class={`mark state-${own.state}`}>{own.replacedBy ? t("state_replaced") : t(`state_${own.state}`)}</em>;
}

export function RecordRow({ own }: { own: OwnRecord }) {
  const { record } = own;
  return (
    <li>
      <a class="row plain-row" href={address("record", record._id)} data-testid="record-row" data-state={own.state} data-id={record._id}>
        <span class="grow">
          <strong>{titleOf(own)}</strong>
          <span class="row-sub">
            {formTitle(formOf(record.form_id, record.form_version), record.form_id)}
            {record.voided && ` · ${t("void")}`} · {shortTime(Date.parse(record.captured_at), nowMs())}
          </span>
        </span>
        <RecordMark own={own} />
      </a>
    </li>
  );
}

type Filter = "all" | "correct" | "open";
const KEEPS: Record<Filter, (own: OwnRecord) => boolean> = {
  all: () => true,
  correct: (own) => needsCorrection(own.state) && !own.replacedBy,
  open: (own) => !hasVerdict(own.state),
};

export function Records({ given }: { given: string }) {
  const [filter, setFilter] = useState<Filter>(given in KEEPS ? (given as Filter) : "all");
  const shown = ownRecords.value.filter(KEEPS[filter]);
  return (
    <>
      <TopBar title={t("records_title")} />
      <main class="page">
        <SyncLine />
        <div class="segment" role="group">
          {(["all", "correct", "open"] as Filter[]).map((each) => (
            <button key={each} type="button" aria-pressed={each === filter} onClick={() => setFilter(each)}>
              {t(`records_filter_${each}`)} {ownRecords.value.filter(KEEPS[each]).length}
            </button>
          ))}
        </div>
        {shown.length ? (
          <ul class="records card">
            {shown.map((own) => (
              <RecordRow key={own.record._id} own={own} />
            ))}
          </ul>
        ) : (
          <p class="empty">{t("records_empty")}</p>
        )}
      </main>
    </>
  );
}

/** The three stations of a record's way, as far as the server has confirmed it. */
function Chain({ own }: { own: OwnRecord }) {
  const stations: [Key, boolean][] = [
    ["chain_phone", true],
    ["chain_received", receipts.value.has(own.record._id) || hasVerdict(own.state)],
    [hasVerdict(own.state) ? (`state_${own.state}` as Key) : "chain_checked", hasVerdict(own.state)],
  ];
  return (
    <ol class="chain">
      {stations.map(([key, reached]) => (
        <li key={key} class={`${reached ? "reached" : ""} ${reached && needsCorrection(own.state) && key.startsWith("state") ? "bad" : ""}`} aria-current={reached ? "step" : undefined}>
          <i aria-hidden="true">{reached && <Icon name={needsCorrection(own.state) && key.startsWith("state") ? "warn" : "check"} />}</i>
          {t(key)}
        </li>
      ))}
    </ol>
  );
}

function* rowsOf(rows: CompiledRow[]): Generator<CompiledRow> {
  for (const row of rows) {
    yield row;
    if (row.children) yield* rowsOf(row.children);
  }
}
const rowNamed = (form: CompiledForm | undefined, name: string): CompiledRow | undefined => {
  if (!form) return undefined;
  for (const row of rowsOf([...form.survey, ...form.envelope])) if (row.name === name) return row;
  return undefined;
};
/** Labels that hold answers of their own are expressions; such a field is called by its name. */
function labelOf(form: CompiledForm | undefined, name: string): string {
  const label = rowNamed(form, name)?.label;
  const plain = label && { zh: typeof label.zh === "string" ? label.zh : name, en: typeof label.en === "string" ? label.en : name };
  return say(plain) || name;
}

/** `rep_person[0].temp_c` as "人员登记 1 › 体温". */
export function pathLabel(form: CompiledForm | undefined, path: string): string {
  if (!path) return t("whole_record");
  return path
    .split(".")
    .map((step) => {
      const [, name = step, index] = /^([^[]+)(?:\[(\d+)\])?$/.exec(step) ?? [];
      return labelOf(form, name) + (index === undefined ? "" : ` ${Number(index) + 1}`);
    })
    .join(" › ");
}

function ProblemItem({ problem, form }: { problem: Problem; form: CompiledForm | undefined }) {
  return (
    <li class={`problem ${problem.severity === "E" ? "stop" : "ask"}`} data-rule={problem.rule}>
      <Icon name="warn" />
      <p>
        <strong>{pathLabel(form, problem.path)}</strong>
        {say(problem.message)}
        <small>
          {t("rule")} {problem.rule}
        </small>
      </p>
    </li>
  );
}

function answerText(form: CompiledForm | undefined, name: string, value: Answer): string {
  const row = rowNamed(form, name);
  const list = row?.list ? form?.choices[row.list] : undefined;
  const one = (code: unknown) => say(list?.find((choice) => choice.name === code)?.label) || String(code);
  if (Array.isArray(value)) return value.map(one).join("、");
  if (typeof value === "object") return `${value.lat}, ${value.lon}`;
  return value === true ? "✓" : one(value);
}

const SHOWN = (row: CompiledRow | undefined) => row !== undefined && row.type !== "calculate" && row.type !== "hidden" && row.type !== "note";

function AnswerList({ form, answers }: { form: CompiledForm | undefined; answers: Answers }) {
  return (
    <dl class="answers">
      {Object.entries(answers).map(([name, value]) => {
        if (Array.isArray(value) && typeof value[0] === "object")
          return (value as Answers[]).map((each, index) => (
            <div key={`${name}${index}`} class="nested">
              <dt>
                {labelOf(form, name)} {index + 1}
              </dt>
              <dd>
                <AnswerList form={form} answers={each} />
              </dd>
            </div>
          ));
        if (!SHOWN(rowNamed(form, name))) return null;
        return (
          <div key={name}>
            <dt>{labelOf(form, name)}</dt>
            <dd>{answerText(form, name, value as Answer)}</dd>
          </div>
        );
      })}
    </dl>
  );
}

export function RecordPage({ id }: { id: string }) {
  const [voiding, setVoiding] = useState(false);
  const own = ownRecords.value.find((each) => each.record._id === id);
  if (!own)
    return (
      <>
        <TopBar title={t("records_title")} back={address("records")} />
        <main class="page">
          <p class="empty">{t("none_found")}</p>
        </main>
      </>
    );
  const { record, verdict } = own;
  const form = formOf(record.form_id, record.form_version);
  const open = !own.replacedBy && !record.voided;
  const correct = async () => {
    const draft = await beginCorrection(own);
    if (draft) go("form", draft);
    else notify(t("draft_no_form"));
  };
  return (
    <>
      <TopBar title={titleOf(own)} sub={formTitle(form, record.form_id)} back={address("records")} />
      <main class="page with-foot" data-testid="record" data-state={own.state}>
        <section class="card">
          <Chain own={own} />
          <p class="todo">{own.replacedBy ? t("state_replaced") : t(`do_${own.state}`)}</p>
          {verdict?.comment && (
            <blockquote>
              <strong>{t("supervisor_comment")}</strong>
              {verdict.comment}
            </blockquote>
          )}
          {verdict && verdict.problems.length > 0 && (
            <ul class="problems">
              {verdict.problems
                .filter((problem) => problem.severity !== "F" || needsCorrection(own.state))
                .map((problem, index) => (
                  <ProblemItem key={index} problem={problem} form={form} />
                ))}
            </ul>
          )}
        </section>
        <section class="card">
          <h2>{t("answers")}</h2>
          <dl class="answers">
            <div>
              <dt>{t("captured_at")}</dt>
              <dd>{record.captured_at.slice(0, 16).replace("T", " ")}</dd>
            </div>
            <div>
              <dt>{t("filled_by")}</dt>
              <dd>{fillers.value.find((filler) => filler.filler_id === record.filler_id)?.name ?? record.filler_id}</dd>
            </div>
          </dl>
          <AnswerList form={form} answers={record.answers} />
        </section>
      </main>
      {open && (
        <footer class="foot">
          <button type="button" class="secondary big" onClick={() => setVoiding(true)}>
            {t("void")}
          </button>
          <button type="button" class={isFinal(own.state) ? "secondary big" : "primary big"} onClick={() => void correct()}>
            {t("correct")}
          </button>
        </footer>
      )}
      {voiding && <VoidSheet own={own} form={form} close={() => setVoiding(false)} />}
    </>
  );
}

function VoidSheet({ own, form, close }: { own: OwnRecord; form: CompiledForm | undefined; close: () => void }) {
  const reasons = form?.choices["correction_reason"] ?? [];
  const choose = async (reason: string) => {
    await withdraw(own, reason);
    close();
    notify(t("void_done"));
  };
  return (
    <Sheet title={t("void_title")} close={close}>
      <p>{t("void_lead")}</p>
      <ul class="choices" aria-label={t("reason")}>
        {reasons.map((reason) => (
          <li key={reason.name}>
            <button type="button" class="choice" onClick={() => void choose(reason.name)}>
              <strong>{say(reason.label)}</strong>
            </button>
          </li>
        ))}
      </ul>
    </Sheet>
  );
}

