/** Small comforts over plain HTML forms and lists. */

export function comforts(page: Document): void {
  submitOnChange(page);
  villagesOfTown(page);
  printButtons(page);
  askFirst(page);
  copyButtons(page);
  page.querySelector('.menu [aria-current="page"]')?.scrollIntoView({ block: "nearest", inline: "center" });
}

/** A form with `data-submit-on-change` goes off when a choice is made; its button stays for the keyboard. */
function submitOnChange(page: Document): void {
  for (const form of page.querySelectorAll<HTMLFormElement>("form[data-submit-on-change]")) {
    form.addEventListener("change", () => form.requestSubmit());
  }
}

/** Choosing a town leaves only its villages to choose from. */
function villagesOfTown(page: Document): void {
  const town = page.querySelector<HTMLSelectElement>("select[data-town]");
  const village = page.querySelector<HTMLSelectElement>("select[data-village]");
  if (!town || !village) return;
  const all = [...village.options];
  const narrow = (): void => {
    const chosen = village.value;
    const fitting = all.filter((option) => !option.value || !town.value || option.value.startsWith(town.value));
    village.replaceChildren(...fitting);
    // Moving options changes what is selected, so it is set again.
    village.value = fitting.some((option) => option.value === chosen) ? chosen : "";
  };
  town.addEventListener("change", narrow);
  narrow();
}

function printButtons(page: Document): void {
  for (const button of page.querySelectorAll<HTMLElement>("[data-print]")) {
    button.hidden = false;
    button.addEventListener("click", () => print());
  }
}

/** A step that cannot be taken back asks first, in the words of its `data-ask`. */
function askFirst(page: Document): void {
  for (const form of page.querySelectorAll<HTMLFormElement>("form[data-ask]")) {
    form.addEventListener("submit", (event) => {
      if (!confirm(form.dataset["ask"])) event.preventDefault();
    });
  }
}

/** A button with `data-copy` copies the text of the field that it names; where the clipboard is closed it selects it. */
function copyButtons(page: Document): void {
  for (const button of page.querySelectorAll<HTMLElement>("[data-copy]")) {
    const field = page.getElementById(button.dataset["copy"] ?? "");
    if (!(field instanceof HTMLTextAreaElement)) continue;
    button.hidden = false;
    button.addEventListener("click", () => void copy(field, button));
  }
}

async function copy(field: HTMLTextAreaElement, button: HTMLElement): Promise<void> {
  field.select();
  try {
    await navigator.clipboard.writeText(field.value);
  } catch {
    return; // the text is selected: the keyboard copies it
  }
  button.textContent = button.dataset["copied"] ?? button.textContent;
}
