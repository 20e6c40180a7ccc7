/** Draws whatever a compiled form asks. No form is known here, only the language's question types. */
import { Fragment, type ComponentChildren, type FunctionComponent } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Answer, FieldState, FormSession, Problem } from "../forms";
import { say, t } from "../i18n";
import { Icon } from "../widgets/parts";
import type { Ask } from "./ask";
import { AudioQuestion, PhotoQuestion, SignatureQuestion } from "./media";
import { PlaceQuestion } from "./place";
import { canPrefill, prefillRepeat } from "./repeat";
import { SelectQuestion } from "./select";
import { BarcodeQuestion, NumberQuestion, TextQuestion } from "./text";
import { DateQuestion, DateTimeQuestion } from "./time";

export interface FormTools {
  session: FormSession;
  /** Questions that the unit answered when the form was begun from it. */
  prefilled: ReadonlySet<string>;
  /** Whether the complaints about this path are to be shown yet. */
  shows(path: string): boolean;
  touch(path: string): void;
  attach(path: string, content: Blob, extension: string): Promise<void>;
  media(name: string): Promise<Blob | undefined>;
}

function Acknowledge({ ask }: { ask: Ask }) {
  return (
    <label class="option wide">
      <input id={ask.id} type="checkbox" checked={ask.field.value === true} aria-describedby={ask.describedBy} onChange={(event) => ask.set(event.currentTarget.checked || undefined)} />
      <span>{t("acknowledged")}</span>
    </label>
  );
}

const WIDGETS: Record<string, FunctionComponent<{ ask: Ask }>> = {
  text: TextQuestion,
  integer: ({ ask }) => <NumberQuestion ask={ask} decimal={false} />,
  decimal: ({ ask }) => <NumberQuestion ask={ask} decimal />,
  select_one: ({ ask }) => <SelectQuestion ask={ask} multiple={false} />,
  select_multiple: ({ ask }) => <SelectQuestion ask={ask} multiple />,
  select_one_from_file: ({ ask }) => <SelectQuestion ask={ask} multiple={false} />,
  select_multiple_from_file: ({ ask }) => <SelectQuestion ask={ask} multiple />,
  date: DateQuestion,
  dateTime: DateTimeQuestion,
  barcode: BarcodeQuestion,
  image: ({ ask }) => (ask.field.appearance?.includes("signature") ? <SignatureQuestion ask={ask} /> : <PhotoQuestion ask={ask} />),
  audio: AudioQuestion,
  geopoint: PlaceQuestion,
  acknowledge: Acknowledge,
};

const idOf = (path: string) => `q-${path.replace(/[^\w]/g, "-")}`;

function Problems({ field, tools, id }: { field: FieldState; tools: FormTools; id: string }) {
  const problems = tools.shows(field.path) ? field.problems.filter((problem) => problem.severity !== "F") : [];
  const stops = problems.filter((problem) => problem.severity === "E");
  // What must be changed anyway is not asked about as well.
  const shown = stops.length ? stops : problems;
  return (
    <div id={id} class="problems" aria-live="polite">
      {shown.map((problem) => (
        <ProblemLine key={problem.rule} problem={problem} tools={tools} />
      ))}
    </div>
  );
}

function ProblemLine({ problem, tools }: { problem: Problem; tools: FormTools }) {
  const asks = problem.severity === "W";
  return (
    <div class={`problem ${asks ? "ask" : "stop"}`} data-rule={problem.rule}>
      <Icon name="warn" />
      <p>{say(problem.message)}</p>
      {asks && (
        <button type="button" class="small" onClick={() => tools.session.confirm(problem.path, problem.rule)}>
          {t("confirm_w")}
        </button>
      )}
    </div>
  );
}

function Coercion({ field, tools }: { field: FieldState; tools: FormTools }) {
  if (!field.coercion) return null;
  const { ask, to } = field.coercion;
  return (
    <div class="problem ask" role="status">
      <Icon name="warn" />
      <p>{ask}</p>
      <button type="button" class="small" onClick={() => tools.session.set(field.path, to)}>
        {t("coerce_yes", { to: String(to) })}
      </button>
    </div>
  );
}

export function Field({ field, tools }: { field: FieldState; tools: FormTools }): ComponentChildren {
  if (!field.relevant || field.appearance?.includes("hidden")) return null;
  if (field.kind === "group") return <Group field={field} tools={tools} />;
  if (field.kind === "repeat") return <Repeat field={field} tools={tools} />;
  if (field.kind === "note") return <p class="note" data-testid={`field-${field.path}`}>{field.label}</p>;
  return <Question field={field} tools={tools} />;
}

function Question({ field, tools }: { field: FieldState; tools: FormTools }) {
  const Widget = WIDGETS[field.type];
  const id = idOf(field.path);
  const ask: Ask = {
    field,
    id,
    describedBy: `${id}-hint ${id}-problems`,
    invalid: tools.shows(field.path) && field.problems.some((problem) => problem.severity === "E"),
    set: (value: Answer) => tools.session.set(field.path, value),
    touch: () => tools.touch(field.path),
    attach: (content, extension) => tools.attach(field.path, content, extension),
    media: tools.media,
  };
  return (
    <div class="question" data-testid={`field-${field.path}`} data-path={field.path} data-invalid={ask.invalid}>
      <label class="label" id={`${id}-label`} for={id}>
        {field.label}
        {field.required ? <em class="required">{t("required_mark")}</em> : Widget && <em class="optional">{t("optional_mark")}</em>}
      </label>
      <p class="hint" id={`${id}-hint`}>
        {field.hint}
      </p>
      {Widget && <Widget ask={ask} />}
      <Coercion field={field} tools={tools} />
      <Problems field={field} tools={tools} id={`${id}-problems`} />
    </div>
  );
}

const ALL_NO_FROM = 3;

/** The open questions of a screening: three or more that must be answered, with the same answers, one of which is "no". */
function screening(children: FieldState[]): { open: FieldState[]; last: FieldState } | undefined {
  const shape = (child: FieldState) => child.choices?.map((choice) => choice.name).join();
  const asked = children.filter((child) => child.type === "select_one" && child.required && child.choices?.some((choice) => choice.name === "no"));
  const alike = asked.filter((child) => shape(child) === shape(asked[0]!));
  const open = alike.filter((child) => child.value === undefined);
  return open.length >= ALL_NO_FROM ? { open, last: alike.at(-1)! } : undefined;
}

function AllNo({ open, tools }: { open: FieldState[]; tools: FormTools }) {
  const label = open[0]?.choices?.find((choice) => choice.name === "no")?.label ?? "";
  return (
    <button type="button" class="secondary big wide" onClick={() => open.forEach((child) => tools.session.set(child.path, "no"))}>
      <Icon name="check" />
      {t("form_all_no", { label })}
    </button>
  );
}

/** A group that the unit has answered by itself: it is said in a line and opened on demand. */
function isSettled(field: FieldState, tools: FormTools): boolean {
  const children = field.children ?? [];
  return children.some((child) => tools.prefilled.has(child.name)) && children.every((child) => child.problems.length === 0 && !(child.required && child.value === undefined));
}

function Group({ field, tools, inPage }: { field: FieldState; tools: FormTools; inPage?: boolean }) {
  const children = field.children ?? [];
  const [folded] = useState(() => inPage === true && isSettled(field, tools));
  const asked = screening(children);
  const body = children.map((child) => (
    <Fragment key={child.path}>
      {child.kind === "group" ? <Group field={child} tools={tools} inPage /> : <Field field={child} tools={tools} />}
      {asked && child === asked.last && <AllNo open={asked.open} tools={tools} />}
    </Fragment>
  ));
  if (folded)
    return (
      <details class="group settled">
        <summary>
          <Icon name="check" />
          <span class="grow">
            {field.label}
            {children.filter((child) => child.kind === "note").map((child) => (
              <small key={child.path}>{child.label}</small>
            ))}
          </span>
          {t("change")}
        </summary>
        {body}
      </details>
    );
  return (
    <section class="group" aria-label={field.label}>
      {field.label && !children.some((child) => child.kind === "group") && <h2>{field.label}</h2>}
      {body}
    </section>
  );
}

function Repeat({ field, tools }: { field: FieldState; tools: FormTools }) {
  const { session } = tools;
  // `add: one` opens the first entry by itself, once: whoever removes it meant it.
  useEffect(() => {
    if (field.parameters?.["add"] === "one" && !field.instances?.length) session.addInstance(field.path);
  }, []);
  return (
    <section class="repeat" aria-label={field.label} data-testid={`field-${field.path}`} data-path={field.path}>
      <h2>{field.label}</h2>
      {field.hint && <p class="hint">{field.hint}</p>}
      {canPrefill(field, session) && (
        <button type="button" class="secondary big wide" onClick={() => prefillRepeat(field, session)}>
          <Icon name="check" />
          {t("repeat_prefill")}
        </button>
      )}
      {field.instances?.map((children, index) => (
        <fieldset key={index} class="instance" data-testid={`${field.path}[${index}]`}>
          <legend>
            {field.label} {index + 1}
          </legend>
          {children.map((child) => (
            <Field key={child.path} field={child} tools={tools} />
          ))}
          <button type="button" class="plain remove" onClick={() => session.removeInstance(field.path, index)}>
            <Icon name="trash" />
            {t("repeat_remove")}
          </button>
        </fieldset>
      ))}
      <Problems field={field} tools={tools} id={`${idOf(field.path)}-problems`} />
      <button type="button" class="secondary wide" onClick={() => session.addInstance(field.path)}>
        <Icon name="plus" />
        {t("repeat_add")}
      </button>
    </section>
  );
}
