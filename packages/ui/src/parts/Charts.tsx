import { type Chart, chartsOf } from './charts.ts';
import './charts.css';

/** Pictures of what in a result has the shape of one; nothing where nothing has. */
export function Charts({ of }: { of: Readonly<Record<string, unknown>> }) {
  return (
    <>
      {chartsOf(of).map((chart) => (
        <Bars key={chart.title} of={chart} />
      ))}
    </>
  );
}

/** A table whose numbers have bars: it reads the same with eyes and without. */
function Bars({ of: { title, series, rows } }: { of: Chart }) {
  const most = Math.max(1, ...rows.flatMap((row) => row.values.map((value) => Math.abs(value ?? 0))));
  return (
    <table className="bars">
      <caption>{title.replaceAll('_', ' ')}</caption>
      <thead>
        <tr>
          <th scope="col">name</th>
          {series.map((name, i) => (
            <th key={name} scope="col" data-series={i % 3}>
              {name.replaceAll('_', ' ')}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={row.name}>
            <th scope="row">
              <bdi>{row.name}</bdi>
            </th>
            {row.values.map((value, i) => (
              <td key={series[i]}>
                <i data-series={i % 3} style={{ width: `${(50 * Math.abs(value ?? 0)) / most}%` }} />
                <span className="num">{value === null ? '–' : value.toLocaleString('en')}</span>
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
