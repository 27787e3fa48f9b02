/** The pages of the navigation, with the letter that follows `g` to go there. */

import {
  Boxes,
  CalendarClock,
  ChartNoAxesColumn,
  Database,
  Grid3x3,
  ListVideo,
  Radar,
  Rocket,
  Server,
  TriangleAlert,
  type LucideIcon,
} from 'lucide-react';

export interface NavItem {
  readonly to:
    | '/'
    | '/assets'
    | '/sensors'
    | '/schedules'
    | '/runs'
    | '/backfills'
    | '/launch'
    | '/ducklings'
    | '/failures'
    | '/system';
  readonly name: string;
  readonly icon: LucideIcon;
  readonly key: string;
  readonly title?: string;
}

export const NAV: readonly NavItem[] = [
  { to: '/', name: 'Overview', icon: ChartNoAxesColumn, key: 'o' },
  { to: '/assets', name: 'Assets', icon: Boxes, key: 'a', title: 'Data' },
  { to: '/ducklings', name: 'Ducklings', icon: Database, key: 'd' },
  { to: '/runs', name: 'Runs', icon: ListVideo, key: 'r', title: 'Work' },
  { to: '/launch', name: 'Launchpad', icon: Rocket, key: 'l' },
  { to: '/backfills', name: 'Backfills', icon: Grid3x3, key: 'b' },
  { to: '/failures', name: 'Failures', icon: TriangleAlert, key: 'f' },
  { to: '/sensors', name: 'Sensors', icon: Radar, key: 's', title: 'Automation' },
  { to: '/schedules', name: 'Schedules', icon: CalendarClock, key: 'c' },
  { to: '/system', name: 'System', icon: Server, key: 'y', title: 'Installation' },
];
