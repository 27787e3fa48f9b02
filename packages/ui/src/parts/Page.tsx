import { type ReactNode, useEffect } from 'react';

/** A page: its title in the tab and as its heading, and what can be done with all of it. */
export function Page(props: { title: string; tab?: string; head?: ReactNode; lead?: ReactNode; children: ReactNode }) {
  const tab = props.tab ?? props.title;
  useEffect(() => {
    document.title = `${tab} · Skein`;
  }, [tab]);
  return (
    <div className="page">
      <div className="page-head">
        <h1>{props.title}</h1>
        {props.head}
        {props.lead && <p className="lead">{props.lead}</p>}
      </div>
      {props.children}
    </div>
  );
}

export function Card(props: { title?: ReactNode; aside?: ReactNode; children: ReactNode; flush?: boolean }) {
  return (
    <section className="card">
      {props.title !== undefined && (
        <header>
          <h2 className="grow">{props.title}</h2>
          {props.aside}
        </header>
      )}
      {props.flush ? props.children : <div className="body">{props.children}</div>}
    </section>
  );
}
