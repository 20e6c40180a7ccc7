/** What every question widget is given. */
import type { Answer, FieldState } from "../forms";

export interface Ask {
  field: FieldState;
  /** The id of the element that a label and an error point to. */
  id: string;
  describedBy: string;
  invalid: boolean;
  set(value: Answer): void;
  /** The filler has left the field: its complaints may be shown. */
  touch(): void;
  /** Keeps a photo, recording or signature with the draft and answers with its name. */
  attach(content: Blob, extension: string): Promise<void>;
  media(name: string): Promise<Blob | undefined>;
}
