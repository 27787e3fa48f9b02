import { Link, type LinkProps } from '@tanstack/react-router';

/** Tabs are links: a tab is a part of the address. */
export function Tabs({
  label,
  tabs,
}: {
  label: string;
  tabs: readonly { name: string; link: LinkProps; active: boolean }[];
}) {
  return (
    <nav className="tabs" aria-label={label}>
      {tabs.map(({ name, link, active }) => (
        <Link key={name} {...link} aria-current={active ? 'page' : undefined} activeProps={{}}>
          {name}
        </Link>
      ))}
    </nav>
  );
}
