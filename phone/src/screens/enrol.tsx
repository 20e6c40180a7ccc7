import { useEffect, useState } from "preact/hooks";
import { cleanCode, deviceLabel, enrol, isWholeCode } from "../app/enrolment";
import { chooseLang, enrolled } from "../app/phone";
import { identity, lang } from "../app/state";
import { t } from "../i18n";
import type { Key } from "../i18n/zh";
import { Icon } from "../widgets/parts";
import { Scanner } from "../widgets/scanner";

export const codeInAddress = (): string => (/[#&]enrol=/.test(location.hash) ? cleanCode(location.hash) : "");

export function Enrol({ done }: { done: () => void }) {
  const [code, setCode] = useState(codeInAddress);
  const [failure, setFailure] = useState<Key | undefined>(undefined);
  const [working, setWorking] = useState(false);
  const [scanning, setScanning] = useState(false);

  const send = async (input: string) => {
    const clean = cleanCode(input);
    setCode(clean);
    if (!isWholeCode(clean)) return setFailure("enrol_incomplete");
    setWorking(true);
    setFailure(undefined);
    const result = await enrol(clean, deviceLabel(), identity.value?.token);
    if ("failure" in result) {
      setFailure(`enrol_failed_${result.failure}`);
      return setWorking(false);
    }
    await enrolled(result.identity);
    done();
  };
  useEffect(() => {
    const sendGiven = () => {
      const given = codeInAddress();
      if (given) void send(given);
    };
    sendGiven();
    addEventListener("hashchange", sendGiven); // a second QR code opens the same page
    return () => removeEventListener("hashchange", sendGiven);
  }, []);

  return (
    <main class="enrol">
      <button type="button" class="language plain" lang={lang.value === "zh" ? "en" : "zh"} onClick={() => void chooseLang(lang.value === "zh" ? "en" : "zh")}>
        {t("other_language")}
      </button>
      <img src={`${import.meta.env.BASE_URL}icon.svg`} alt="" width="88" height="88" />
      <h1>{t("enrol_title")}</h1>
      <p class="lead">{t("enrol_lead")}</p>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void send(code);
        }}
      >
        <label for="code">{t("enrol_code")}</label>
        <input
          id="code"
          class="code"
          value={code}
          placeholder="ABCD-2345"
          autocomplete="off"
          autocapitalize="characters"
          spellcheck={false}
          aria-describedby="code-hint"
          aria-invalid={failure !== undefined}
          onInput={(event) => setCode(event.currentTarget.value.toUpperCase())}
        />
        <p id="code-hint" class="hint">
          {t("enrol_hint")}
        </p>
        <p class="problem-text" role="alert">
          {failure && t(failure)}
        </p>
        <div class="stack">
          <button type="submit" class="primary big" disabled={working}>
            {working ? t("enrol_working") : t("enrol_send")}
          </button>
          <button type="button" class="secondary big" onClick={() => setScanning(true)}>
            <Icon name="scan" />
            {t("enrol_scan")}
          </button>
        </div>
      </form>
      {scanning && (
        <Scanner
          close={() => setScanning(false)}
          found={(content) => {
            setScanning(false);
            void send(content);
          }}
        />
      )}
    </main>
  );
}
