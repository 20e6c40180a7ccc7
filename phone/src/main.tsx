import { render } from "preact";
import { useState } from "preact/hooks";
import { notice } from "./app/notice";
import { open } from "./app/phone";
import { address, goInstead, route } from "./app/route";
import { fillerId, identity, revoked, toCorrect, updateReady } from "./app/state";
import { applyUpdate, watchUpdates } from "./app/updates";
import { t } from "./i18n";
import type { UnitKind } from "./lists/units";
import { codeInAddress, Enrol } from "./screens/enrol";
import { PickFiller } from "./screens/filler";
import { FormScreen } from "./screens/form";
import { Home } from "./screens/home";
import { Me } from "./screens/me";
import { RecordPage, Records } from "./screens/records";
import { UnitPage } from "./screens/unit";
import { Banner, Icon, type IconName } from "./widgets/parts";
import type { Key } from "./i18n/zh";
import "./style.css";

function Screen() {
  const { screen, id, more } = route.value;
  if (screen === "filler") return <PickFiller back={address()} />;
  if (!fillerId.value) return <PickFiller />;
  if (screen === "unit") return <UnitPage key={more} kind={id as UnitKind} id={more} />;
  if (screen === "form") return <FormScreen key={id} id={id} />;
  if (screen === "records") return <Records given={id} />;
  if (screen === "record") return <RecordPage id={id} />;
  if (screen === "me") return <Me />;
  return <Home />;
}

const PLACES: [screen: string, icon: IconName, label: Key][] = [
  ["", "home", "nav_home"],
  ["records", "list", "nav_records"],
  ["me", "person", "nav_me"],
];

function Navigation() {
  const { screen } = route.value;
  if (!fillerId.value || !PLACES.some(([place]) => place === screen)) return null;
  return (
    <nav class="places" aria-label={t("app")}>
      {PLACES.map(([place, icon, label]) => (
        <a key={place} href={address(place)} aria-current={place === screen ? "page" : undefined}>
          <Icon name={icon} />
          {t(label)}
          {place === "records" && toCorrect.value.length > 0 && <b class="badge">{toCorrect.value.length}</b>}
        </a>
      ))}
    </nav>
  );
}

function App() {
  const [enrolling, setEnrolling] = useState(codeInAddress() !== "" && (!identity.value || revoked.value));
  const ready = () => {
    setEnrolling(false);
    goInstead();
  };
  return (
    <>
      {!identity.value || enrolling ? (
        <Enrol done={ready} />
      ) : (
        <>
          {updateReady.value && route.value.screen !== "form" && (
            <Banner kind="info" icon="sync" action={t("banner_update_action")} onAction={applyUpdate}>
              {t("banner_update")}
            </Banner>
          )}
          {revoked.value && route.value.screen !== "form" && (
            <Banner kind="bad" action={t("banner_revoked_action")} onAction={() => setEnrolling(true)}>
              {t("banner_revoked")}
            </Banner>
          )}
          <Screen />
          <Navigation />
        </>
      )}
      <div class="notice" role="status" aria-live="polite">
        {notice.value && <p>{notice.value}</p>}
      </div>
    </>
  );
}

function Broken() {
  return (
    <main class="enrol">
      <h1>{t("broken_title")}</h1>
      <p class="lead">{t("broken_lead")}</p>
    </main>
  );
}

const place = document.getElementById("app")!;
place.replaceChildren();
open().then(
  () => render(<App />, place),
  (error: unknown) => {
    console.error(error);
    render(<Broken />, place);
  },
);
void watchUpdates();
