import { useEffect, useState } from "preact/hooks";
import { chooseLang, chooseVillage } from "../app/phone";
import { address } from "../app/route";
import { filler, identity, lang, villageCode } from "../app/state";
import { t, word } from "../i18n";
import { Icon, TopBar } from "../widgets/parts";
import { SyncLine } from "./syncline";

const MB = 1024 * 1024;

function useStorage() {
  const [said, setSaid] = useState<{ used: number; free: number; persisted: boolean } | undefined>(undefined);
  useEffect(() => {
    void (async () => {
      const { usage = 0, quota = 0 } = (await navigator.storage?.estimate?.()) ?? {};
      setSaid({ used: Math.ceil(usage / MB), free: Math.floor((quota - usage) / MB), persisted: (await navigator.storage?.persisted?.()) ?? false });
    })();
  }, []);
  return said;
}

export function Me() {
  const storage = useStorage();
  const villages = identity.value?.villages ?? [];
  return (
    <>
      <TopBar title={t("me_title")} />
      <main class="page">
        <a class="card line" href={address("filler")}>
          <span class="grow">
            <small>{t("me_filler")}</small>
            <strong>{filler.value?.name ?? t("choose")}</strong>
            {filler.value && <span>{word("role", filler.value.role)}</span>}
          </span>
          {t("change")}
          <Icon name="next" />
        </a>
        {villages.length > 1 && (
          <section class="card">
            <h2>{t("me_village")}</h2>
            <ul class="choices">
              {villages.map((village) => (
                <li key={village.code}>
                  <button type="button" class="choice" aria-pressed={village.code === villageCode.value} onClick={() => void chooseVillage(village.code)}>
                    <strong>{village.name}</strong>
                    {village.code === villageCode.value && <Icon name="check" />}
                  </button>
                </li>
              ))}
            </ul>
          </section>
        )}
        <section class="card">
          <h2>{t("me_language")}</h2>
          <div class="segment" role="group" aria-label={t("me_language")}>
            <button type="button" lang="zh" aria-pressed={lang.value === "zh"} onClick={() => void chooseLang("zh")}>
              中文
            </button>
            <button type="button" lang="en" aria-pressed={lang.value === "en"} onClick={() => void chooseLang("en")}>
              English
            </button>
          </div>
        </section>
        <section class="card">
          <h2>{t("me_sync")}</h2>
          <SyncLine />
        </section>
        <section class="card">
          <h2>{t("me_storage")}</h2>
          {storage && (
            <>
              <p>{t("me_storage_used", { used: storage.used, free: storage.free })}</p>
              <p class="hint">{storage.persisted ? t("me_persisted") : t("me_not_persisted")}</p>
            </>
          )}
        </section>
        <section class="card">
          <dl class="answers">
            <div>
              <dt>{t("me_device")}</dt>
              <dd>{identity.value?.device_id}</dd>
            </div>
          </dl>
        </section>
      </main>
    </>
  );
}
