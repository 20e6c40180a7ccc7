import { useMemo, useState } from "preact/hooks";
import { beginCorrection, openRecord, recordUnit, withdraw } from "../app/filling";
import { entryLabel, formOf, formTitle, lookUp, unitLabel } from "../app/names";
import { notify } from "../app/notice";
import { nowMs } from "../app/phone";
import { address, go } from "../app/route";
import { fillers, lang, own as ownRecords, receipts } from "../app/state";
import { shortTime } from "../clock";
import type { FormRecord } from "../documents";
import type { Answer, Answers, CompiledForm, FieldState, FormSession, Problem } from "../forms";
import { say, t } from "../i18n";
import type { Key } from "../i18n/zh";
import { hasVerdict, isFinal, isOut, needsCorrection, type OwnRecord } from "../records/chain";
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
        <li key={key} class={`${reached ? "reached" : ""} ${reached && isOut(own.state) && key.startsWith("state") ? "bad" : ""}`} aria-current={reached ? "step" : undefined}>
          <i aria-hidden="true">{reached && <Icon name={isOut(own.state) && key.startsWith("state") ? "warn" : "check"} />}</i>
          {t(key)}
        </li>
      ))}
    </ol>
  );
}

/** The form opened over the record, so that labels which quote answers read as they did when it was filled. */
function useSession(record: FormRecord, form: CompiledForm | undefined): FormSession | undefined {
  return useMemo(() => form && openRecord(form, record), [record._id, form, lang.value]);
}

/** `rep_person[0].temp_c` as "人员登记 1 › 体温". */
function pathLabel(session: FormSession | undefined, path: string): string {
  if (!path) return t("whole_record");
  const steps = path.split(".");
  return steps
    .map((step, index) => {
      const [, name = step, instance] = /^([^[]+)(?:\[(\d+)\])?$/.exec(step) ?? [];
      const label = session?.field([...steps.slice(0, index), name].join("."))?.label || name;
      return instance === undefined ? label : `${label} ${Number(instance) + 1}`;
    })
    .join(" › ");
}

function ProblemItem({ problem, session }: { problem: Problem; session: FormSession | undefined }) {
  return (
    <li class={`problem ${problem.severity === "E" ? "stop" : "ask"}`} data-rule={problem.rule}>
      <Icon name="warn" />
      <p>
        <strong>{pathLabel(session, problem.path)}</strong>
        {say(problem.message)}
        <small>
          {t("rule")} {problem.rule}
        </small>
      </p>
    </li>
  );
}

function answerText(field: FieldState | undefined, value: Answer): string {
  const one = (code: unknown) => {
    const listed = field?.listName && entryLabel(lookUp(field.listName).get(String(code)));
    return listed || field?.choices?.find((choice) => choice.name === code)?.label || String(code);
  };
  if (Array.isArray(value)) return value.map(one).join("、");
  if (typeof value === "object") return `${value.lat}, ${value.lon}`;
  return value === true ? "✓" : /^\d{4}-\d\d-\d\dT/.test(String(value)) ? String(value).slice(0, 16).replace("T", " ") : one(value);
}

const UNSEEN = new Set(["calculate", "hidden", "note"]);

function AnswerList({ session, answers, prefix = "" }: { session: FormSession | undefined; answers: Answers; prefix?: string }) {
  return (
    <dl class="answers">
      {Object.entries(answers).map(([name, value]) => {
        const path = prefix + name;
        const field = session?.field(path);
        if (Array.isArray(value) && typeof value[0] === "object")
          return (value as Answers[]).map((each, index) => (
            <div key={`${name}${index}`} class="nested">
              <dt>{pathLabel(session, `${path}[${index}]`)}</dt>
              <dd>
                <AnswerList session={session} answers={each} prefix={`${path}[${index}].`} />
              </dd>
            </div>
          ));
        if (!field || UNSEEN.has(field.type)) return null;
        return (
          <div key={name}>
            <dt>{field.label}</dt>
            <dd>{answerText(field, value as Answer)}</dd>
          </div>
        );
      })}
    </dl>
  );
}

export function RecordPage({ id }: { id: string }) {
  const own = ownRecords.value.find((each) => each.record._id === id);
  if (own) return <KnownRecord own={own} />;
  return (
      <>
        <TopBar title={t("records_title")} back={address("records")} />
        <main class="page">
          <p class="empty">{t("none_found")}</p>
        </main>
      </>
  );
}

function KnownRecord({ own }: { own: OwnRecord }) {
  const [voiding, setVoiding] = useState(false);
  const { record, verdict } = own;
  const form = formOf(record.form_id, record.form_version);
  const session = useSession(record, form);
  const open = !own.replacedBy && !record.voided && own.state !== "voided";
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
          {verdict?.voided && (
            <blockquote>
              <strong>{t("void_reason")}</strong>
              {verdict.voided.reason}
            </blockquote>
          )}
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
                  <ProblemItem key={index} problem={problem} session={session} />
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
          <AnswerList session={session} answers={record.answers} />
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

