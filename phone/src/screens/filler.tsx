import { useState } from "preact/hooks";
import { chooseFiller } from "../app/phone";
import { goInstead } from "../app/route";
import { fillerId, fillers } from "../app/state";
import { t, word } from "../i18n";
import { SearchBox, TopBar } from "../widgets/parts";

const LIST_NEEDS_SEARCH = 8;

export function PickFiller({ back }: { back?: string }) {
  const [query, setQuery] = useState("");
  const wanted = query.trim().toLowerCase();
  const found = fillers.value.filter((filler) => `${filler.name} ${"name_search" in filler ? String(filler.name_search) : ""}`.toLowerCase().includes(wanted));
  const choose = async (id: string) => {
    await chooseFiller(id);
    goInstead();
  };
  return (
    <>
      <TopBar title={t("filler_title")} sub={t("filler_lead")} {...(back && { back })} />
      <main class="page">
        {fillers.value.length > LIST_NEEDS_SEARCH && <SearchBox value={query} label={t("filler_search")} onInput={setQuery} />}
        <ul class="choices" aria-label={t("me_filler")}>
          {found.map((filler) => (
            <li key={filler.filler_id}>
              <button type="button" class="choice" aria-pressed={filler.filler_id === fillerId.value} onClick={() => void choose(filler.filler_id)}>
                <strong>{filler.name}</strong>
                <span>{word("role", filler.role)}</span>
              </button>
            </li>
          ))}
        </ul>
        {!found.length && <p class="empty">{fillers.value.length ? t("none_found") : t("filler_none")}</p>}
      </main>
    </>
  );
}
