/** A list of rows of one height, of which only those near the screen exist. Scrolls with the page. */
import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";

const AROUND = 6;

export function VirtualList<Item>({ items, rowPx, keyOf, children }: { items: Item[]; rowPx: number; keyOf: (item: Item) => string; children: (item: Item) => ComponentChildren }) {
  const list = useRef<HTMLUListElement>(null);
  const [range, setRange] = useState<[number, number]>([0, 20]);

  useLayoutEffect(() => {
    const measure = () => {
      const top = list.current?.getBoundingClientRect().top ?? 0;
      const first = Math.max(0, Math.floor(-top / rowPx) - AROUND);
      const last = first + Math.ceil(innerHeight / rowPx) + 2 * AROUND;
      setRange((known) => (known[0] === first && known[1] === last ? known : [first, last]));
    };
    measure();
    addEventListener("scroll", measure, { passive: true });
    addEventListener("resize", measure);
    return () => {
      removeEventListener("scroll", measure);
      removeEventListener("resize", measure);
    };
  }, [rowPx, items.length]);

  const [first, last] = range;
  return (
    <ul class="rows" ref={list} style={{ height: `${items.length * rowPx}px` }}>
      {items.slice(first, last).map((item, index) => (
        <li key={keyOf(item)} aria-setsize={items.length} aria-posinset={first + index + 1} style={{ height: `${rowPx}px`, transform: `translateY(${(first + index) * rowPx}px)` }}>
          {children(item)}
        </li>
      ))}
    </ul>
  );
}
