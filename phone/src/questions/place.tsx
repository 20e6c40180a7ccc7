import { useState } from "preact/hooks";
import type { GeoPoint } from "../forms";
import { t } from "../i18n";
import { Icon } from "../widgets/parts";
import type { Ask } from "./ask";

const LIMIT_MS = 20_000;

const isPoint = (value: unknown): value is GeoPoint => typeof value === "object" && value !== null && "lat" in value;

/** Never stands in the way: it looks for a place beside the filling, gives up by itself, and a record without one is complete. */
export function PlaceQuestion({ ask }: { ask: Ask }) {
  const [state, setState] = useState<"ready" | "working" | "failed">("ready");
  const { value } = ask.field;
  const locate = () => {
    if (!navigator.geolocation) return setState("failed");
    setState("working");
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => {
        ask.set({ lat: Number(coords.latitude.toFixed(6)), lon: Number(coords.longitude.toFixed(6)), accuracy_m: Math.round(coords.accuracy) });
        setState("ready");
      },
      () => setState("failed"),
      { enableHighAccuracy: true, timeout: LIMIT_MS, maximumAge: 60_000 },
    );
  };
  const said = state === "working" ? t("geo_working") : state === "failed" ? t("geo_failed") : isPoint(value) ? t("geo_got", { m: value.accuracy_m ?? "?" }) : "";
  return (
    <div class="place">
      <div class="with-key">
        <button type="button" id={ask.id} class="secondary grow" aria-labelledby={`${ask.id}-label ${ask.id}`} aria-describedby={ask.describedBy} disabled={state === "working" || ask.field.readOnly} onClick={locate}>
          <Icon name="pin" />
          {isPoint(value) ? t("geo_again") : t("geo_get")}
        </button>
        {isPoint(value) && (
          <button type="button" class="key" aria-label={t("clear")} onClick={() => ask.set(undefined)}>
            <Icon name="trash" />
          </button>
        )}
      </div>
      <p role="status">{said}</p>
    </div>
  );
}
