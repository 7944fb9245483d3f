import type { ComponentType, JSX } from "preact";
import { useEffect, useState } from "preact/hooks";

// Paths, not hashes: the server answers every path that is no file with index.html.
const listeners = new Set<() => void>();
addEventListener("popstate", () => listeners.forEach((each) => each()));

export function navigate(path: string, replace = false): void {
  if (path === location.pathname + location.search) return;
  history[replace ? "replaceState" : "pushState"](null, "", path);
  scrollTo(0, 0);
  listeners.forEach((each) => each());
}

/// The path now; the component is drawn again when it changes.
export function usePath(): string {
  const [path, setPath] = useState(location.pathname);
  useEffect(() => {
    const read = () => setPath(location.pathname);
    listeners.add(read);
    return () => void listeners.delete(read);
  }, []);
  return path;
}

/// A link within the pages: no reload, but still a link for new tabs and screen readers.
export function Link({ href, ...rest }: JSX.AnchorHTMLAttributes<HTMLAnchorElement> & { href: string }) {
  const path = usePath();
  const follow = (event: MouseEvent) => {
    if (event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    navigate(href);
  };
  return <a href={href} onClick={follow} aria-current={path === href ? "page" : undefined} {...rest} />;
}

/// A page whose code is fetched when it is first shown.
export function lazy<P extends object>(load: () => Promise<{ default: ComponentType<P> }>): ComponentType<P> {
  let loaded: ComponentType<P> | undefined;
  return function Lazy(props: P) {
    const [, setReady] = useState(!!loaded);
    const [failed, setFailed] = useState(false);
    useEffect(() => {
      if (loaded) return;
      load().then((module) => { loaded = module.default; setReady(true); }, () => setFailed(true));
    }, []);
    if (failed) return <p role="alert" class="notice">This page could not be loaded. Reload to try again.</p>;
    const Page = loaded;
    return Page ? <Page {...props} /> : <p class="notice soft" aria-busy="true">Loading…</p>;
  };
}
