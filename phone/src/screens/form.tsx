import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { finish, openDraft, pageWith, save, type Filling, type OpenTrouble } from "../app/filling";
import { formTitle } from "../app/names";
import { notify } from "../app/notice";
import { reloadDrafts } from "../app/phone";
import { address, go, goInstead } from "../app/route";
import { lang, storageTrouble } from "../app/state";
import { t } from "../i18n";
import { Field, type FormTools } from "../questions/view";
import { readMedia, writeMedia } from "../storage/drafts";
import { Banner, Icon, TopBar } from "../widgets/parts";

const ENVELOPE = "envelope";
const FIRST_WHEN_CORRECTING = ["correction_reason"];

export function FormScreen({ id }: { id: string }) {
  const [filling, setFilling] = useState<Filling | OpenTrouble | undefined>(undefined);
  useEffect(() => {
    let opened: Filling | undefined;
    let left = false;
    void openDraft(id).then((result) => {
      if (typeof result === "object") opened = result;
      if (left) opened?.release();
      else setFilling(result);
    });
    return () => {
      left = true;
      opened?.release();
      void reloadDrafts();
    };
  }, [id, lang.value]);
  if (filling === undefined) return <p class="boot">{t("loading")}</p>;
  if (typeof filling === "string")
    return (
      <>
        <TopBar title={t("app")} back={address()} />
        <main class="page">
          <p class="empty">{t(filling)}</p>
        </main>
      </>
    );
  return <OpenForm key={id} filling={filling} />;
}

/**
 * Text in the middle of a number would be judged too early: complaints wait until the field is left, or all are asked for.
 * Those in `whole` are answered from the start.
 */
function useShown(whole: string[]) {
  const touched = useRef(new Set(whole));
  const [version, redraw] = useState(0);
  return {
    /** Rises when more is shown: a component whose props are the same is not drawn again. */
    version,
    shows: (path: string) => touched.current.has(path),
    touch(...paths: string[]) {
      const before = touched.current.size;
      for (const path of paths) touched.current.add(path);
      if (touched.current.size > before) redraw((n) => n + 1);
    },
  };
}

function OpenForm({ filling }: { filling: Filling }) {
  const { session, draft, form } = filling;
  const [, redraw] = useState(0);
  useEffect(() => session.onChange(() => redraw((n) => n + 1)), [session]);
  const shown = useShown(Object.keys(draft.prefill ?? {}));
  const [working, setWorking] = useState(false);
  const [more, setMore] = useState(false);
  const [jump, setJump] = useState<{ path: string } | undefined>(undefined);

  const all = session.pages();
  const envelope = all.find((page) => page.path === ENVELOPE);
  const pages = all.filter((page) => page !== envelope);
  const at = Math.min(draft.page, Math.max(0, pages.length - 1));
  const page = pages[at];
  const last = at >= pages.length - 1;
  const blocking = session.problems().filter((problem) => problem.severity !== "F");
  const here = blocking.filter((problem) => page && pageWith([page], problem.path) === 0);
  // A form whose last pages ask nothing that must be answered may be finished before them.
  const complete = blocking.length === 0;

  const tools = useMemo<FormTools>(
    () => ({
      session,
      prefilled: new Set(Object.keys(draft.prefill ?? {})),
      shows: shown.shows,
      touch: shown.touch,
      async attach(path, content, extension) {
        const name = `${path.replace(/[^\w]+/g, "-").replace(/-$/, "")}-${crypto.randomUUID().slice(0, 8)}.${extension}`;
        try {
          await writeMedia(draft.draft_id, name, content);
        } catch {
          storageTrouble.value = "full";
          return;
        }
        session.set(path, name);
      },
      media: (name) => readMedia(draft.draft_id, name),
    }),
    [session, shown.version],
  );

  useEffect(() => {
    if (!jump) return;
    const place = document.querySelector(`[data-path="${CSS.escape(jump.path)}"]`);
    place?.scrollIntoView({ block: "center", behavior: "smooth" });
    place?.querySelector<HTMLElement>("input,button,textarea,select")?.focus({ preventScroll: true });
  }, [jump]);

  const turn = (to: number) => {
    draft.page = Math.max(0, Math.min(pages.length - 1, to));
    save(filling);
    redraw((n) => n + 1);
    scrollTo(0, 0);
  };
  const show = (problems: { path: string }[]) => {
    const [first] = problems;
    if (!first) return;
    shown.touch(...problems.map((problem) => problem.path));
    const target = pageWith(pages, first.path);
    if (target < 0) setMore(true);
    else if (target !== at) turn(target);
    setJump({ path: first.path });
  };
  const next = () => (here.length ? show(here) : turn(at + 1));
  const conclude = async () => {
    if (blocking.length) return show(blocking);
    setWorking(true);
    try {
      await finish(filling);
    } catch (error) {
      setWorking(false);
      return notify(t("form_finish_failed", { reason: error instanceof Error ? error.message : String(error) }));
    }
    notify(t("form_finished"));
    if (draft.unit) goInstead();
    else go();
  };
  const leave = async () => {
    await filling.saver.settled();
    if (history.length > 1) history.back();
    else go();
  };

  return (
    <>
      <TopBar title={draft.unit?.label ?? formTitle(form)} sub={`${formTitle(form)} · ${t("draft_saved")}`} back={() => void leave()} />
      <main class="page with-foot form" data-testid="form" data-page={at}>
        {storageTrouble.value && <Banner kind="bad">{t("banner_storage")}</Banner>}
        {draft.supersedes && at === 0 && (
          <section class="group">
            <p class="note warn">{t("form_correcting")}</p>
            {FIRST_WHEN_CORRECTING.map((name) => session.field(name)).map((field) => field && <Field key={field.path} field={field} tools={tools} />)}
          </section>
        )}
        {pages.length > 1 && (
          <nav class="steps" aria-label={t("form_page", { n: at + 1, all: pages.length })}>
            {pages.map((each, index) => (
              <button key={index} type="button" aria-current={index === at ? "step" : undefined} aria-label={`${index + 1} ${each.label}`} onClick={() => turn(index)} />
            ))}
          </nav>
        )}
        {page && <Field field={page} tools={tools} />}
        {last && envelope && (
          <details class="group more" open={more} onToggle={(event) => setMore(event.currentTarget.open)}>
            <summary>{t("form_more")}</summary>
            {envelope.children?.filter((child) => !(draft.supersedes && FIRST_WHEN_CORRECTING.includes(child.name))).map((child) => <Field key={child.path} field={child} tools={tools} />)}
          </details>
        )}
      </main>
      <footer class="foot">
        {at > 0 && (
          <button type="button" class="secondary big" aria-label={t("form_previous")} onClick={() => turn(at - 1)}>
            <Icon name="back" />
          </button>
        )}
        {!last && (
          <button type="button" class={complete ? "secondary big" : "primary big"} onClick={next}>
            {t("form_next")}
          </button>
        )}
        {(last || complete) && (
          <button type="button" class="primary big" disabled={working} onClick={() => void conclude()}>
            {t("form_finish")}
          </button>
        )}
      </footer>
    </>
  );
}
