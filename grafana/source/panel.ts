import {
  AxisPlacement,
  BigValueColorMode,
  BigValueGraphMode,
  BigValueJustifyMode,
  BigValueTextMode,
  FieldColorModeId,
  GraphDrawStyle,
  LegendDisplayMode,
  LineInterpolation,
  PercentChangeColorMode,
  SortOrder,
  StackingMode,
  ThresholdsMode,
  TooltipDisplayMode,
  VisibilityMode,
  VizOrientation,
} from '@grafana/schema'
import type {
  DataQuery,
  DataSourceRef,
  DataTransformerConfig,
  FieldConfigSource,
  GraphFieldConfig,
  Panel,
  Threshold,
  ValueMapping,
} from '@grafana/schema'
import {
  HeatmapColorMode,
  type Options as HeatmapOptions,
} from '@grafana/schema/dist/esm/raw/composable/heatmap/panelcfg/x/HeatmapPanelCfg_types.gen'
import type { Options as StatOptions } from '@grafana/schema/dist/esm/raw/composable/stat/panelcfg/x/StatPanelCfg_types.gen'
import type { Options as StateTimelineOptions } from '@grafana/schema/dist/esm/raw/composable/statetimeline/panelcfg/x/StateTimelinePanelCfg_types.gen'
import type { Options as TableOptions } from '@grafana/schema/dist/esm/raw/composable/table/panelcfg/x/TablePanelCfg_types.gen'
import type { Options as TimeSeriesOptions } from '@grafana/schema/dist/esm/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen'
import type { Options as TrendOptions } from '@grafana/schema/dist/esm/raw/composable/trend/panelcfg/x/TrendPanelCfg_types.gen'

/** Panels of the kinds that we use, with the choices that are the same everywhere made once. */

/** What a panel shows, whatever its kind. Its place is the dashboard's affair. */
export interface PanelSpec {
  title: string
  /** What the figures mean, in a sentence or two. */
  description: string
  datasource: DataSourceRef
  targets: DataQuery[]
  /** Grafana's name of it: `ms`, `reqps`, `percentunit`, `none`. */
  unit: string
  /** Of 24 columns. */
  width: number
  /** Rows of about 30 pixels. */
  height: number
  decimals?: number
  /** Shown where there is nothing to show. */
  noValue?: string
}

export type Part = Panel & { title: string; gridPos: NonNullable<Panel['gridPos']> }

const red = 'red'
const colors = { good: 'green', bad: red, warn: 'orange', plain: 'blue' } as const

interface Style<TOptions, TField> {
  options: TOptions
  custom?: Partial<TField>
  color?: FieldColorModeId
  fixedColor?: string
  steps?: Threshold[]
  mappings?: ValueMapping[]
  min?: number
  max?: number
  overrides?: FieldConfigSource['overrides']
  transformations?: DataTransformerConfig[]
}

function panel<TOptions extends object, TField extends object>(
  type: string,
  spec: PanelSpec,
  style: Style<TOptions, TField>,
): Part {
  const { title, description, datasource, targets, unit, width, height, decimals, noValue } = spec
  const { options, custom, color, fixedColor, steps, mappings, min, max, overrides, transformations } = style
  return {
    type,
    title,
    description,
    datasource,
    targets: targets.map((target) => ({ datasource, ...target })),
    gridPos: { x: 0, y: 0, w: width, h: height },
    fieldConfig: {
      defaults: {
        unit,
        ...(decimals === undefined ? {} : { decimals }),
        ...(noValue === undefined ? {} : { noValue }),
        ...(min === undefined ? {} : { min }),
        ...(max === undefined ? {} : { max }),
        ...(mappings === undefined ? {} : { mappings }),
        color: {
          mode: color ?? FieldColorModeId.PaletteClassic,
          ...(fixedColor === undefined ? {} : { fixedColor }),
        },
        ...(steps === undefined ? {} : { thresholds: { mode: ThresholdsMode.Absolute, steps } }),
        ...(custom === undefined ? {} : { custom: custom as Record<string, unknown> }),
      },
      overrides: overrides ?? [],
    },
    options: options as Record<string, unknown>,
    ...(transformations === undefined ? {} : { transformations }),
  }
}

export interface LinesSpec extends PanelSpec {
  /** Areas on top of each other: for parts of a whole. */
  stacked?: boolean
  /** Colors by the names of series. */
  colored?: Record<string, keyof typeof colors>
  /** Units of single series on an axis of their own, at the right. */
  rightAxis?: Record<string, string>
}

/** Figures over time. Gaps stay gaps: nothing was measured there. */
export function lines(spec: LinesSpec): Part {
  const overrides = [
    ...Object.entries(spec.colored ?? {}).map(([name, color]) => ({
      matcher: byName(name),
      properties: [{ id: 'color', value: { mode: FieldColorModeId.Fixed, fixedColor: colors[color] } }],
    })),
    ...Object.entries(spec.rightAxis ?? {}).map(([name, unit]) => ({
      matcher: byName(name),
      properties: [
        { id: 'unit', value: unit },
        { id: 'custom.axisPlacement', value: AxisPlacement.Right },
        { id: 'custom.lineStyle', value: { fill: 'dash', dash: [6, 4] } },
      ],
    })),
  ]
  return panel<TimeSeriesOptions, GraphFieldConfig>('timeseries', spec, {
    options: {
      legend: legend(spec),
      tooltip: { mode: TooltipDisplayMode.Multi, sort: SortOrder.Descending },
    },
    custom: graph(spec.stacked ?? false),
    min: 0,
    overrides,
  })
}

/** Figures over another axis than time: runs of different days, one above the other. */
export function overlaid(spec: PanelSpec & { xField: string; xUnit: string }): Part {
  return panel<TrendOptions, GraphFieldConfig>('trend', spec, {
    options: {
      xField: spec.xField,
      legend: legend(spec),
      tooltip: { mode: TooltipDisplayMode.Multi, sort: SortOrder.None },
    },
    custom: graph(false),
    min: 0,
    overrides: [{ matcher: byName(spec.xField), properties: [{ id: 'unit', value: spec.xUnit }] }],
    // Each run is a table of its own with its own times: these go, the elapsed time joins the rest.
    transformations: [
      { id: 'filterFieldsByName', options: { exclude: { pattern: '^[Tt]ime$' } } },
      { id: 'joinByField', options: { byField: spec.xField, mode: 'outer' } },
      { id: 'sortBy', options: { fields: {}, sort: [{ field: spec.xField }] } },
    ],
  })
}

export interface StatSpec extends PanelSpec {
  /** From the lowest value on; the first one has value null. */
  steps?: Threshold[]
  mappings?: ValueMapping[]
  /** The field that is shown, where there are several. */
  field?: string
}

/** One figure, large. */
export function stat(spec: StatSpec): Part {
  return panel<StatOptions, object>('stat', spec, {
    options: {
      reduceOptions: {
        calcs: ['lastNotNull'],
        fields: spec.field === undefined ? '' : `/^${spec.field}$/`,
        values: false,
      },
      orientation: VizOrientation.Auto,
      textMode: BigValueTextMode.Value,
      wideLayout: true,
      colorMode: BigValueColorMode.Value,
      graphMode: BigValueGraphMode.None,
      justifyMode: BigValueJustifyMode.Auto,
      showPercentChange: false,
      percentChangeColorMode: PercentChangeColorMode.Standard,
    },
    color: FieldColorModeId.Thresholds,
    steps: spec.steps ?? [{ color: 'text', value: null }],
    ...(spec.mappings === undefined ? {} : { mappings: spec.mappings }),
  })
}

export interface Column {
  /** As it is called in the answer. */
  field: string
  title: string
  unit?: string
  width?: number
  /** Colored by its value, the highest one of the column most. */
  heat?: boolean
  hidden?: boolean
}

/** Rows of an answer; columns that are not named are shown as they come. */
export function table(
  spec: PanelSpec & { columns: Column[]; sortBy?: string; transformations?: DataTransformerConfig[] },
): Part {
  const { columns, sortBy, transformations } = spec
  return panel<TableOptions, { align: string; filterable: boolean }>('table', spec, {
    options: {
      frameIndex: 0,
      showHeader: true,
      ...(sortBy === undefined ? {} : { sortBy: [{ displayName: sortBy, desc: true }] }),
    },
    custom: { align: 'auto', filterable: true },
    color: FieldColorModeId.Thresholds,
    steps: [{ color: 'text', value: null }],
    overrides: columns.map(overrideOf),
    ...(transformations === undefined ? {} : { transformations }),
  })
}

function overrideOf({
  field,
  title,
  unit,
  width,
  heat,
  hidden,
}: Column): FieldConfigSource['overrides'][number] {
  const properties: { id: string; value?: unknown }[] = [{ id: 'displayName', value: title }]
  if (unit !== undefined) properties.push({ id: 'unit', value: unit })
  if (width !== undefined) properties.push({ id: 'custom.width', value: width })
  if (hidden === true) properties.push({ id: 'custom.hidden', value: true })
  if (heat === true)
    properties.push(
      { id: 'custom.cellOptions', value: { type: 'color-background', mode: 'gradient' } },
      { id: 'color', value: { mode: FieldColorModeId.ContinuousGrYlRd } },
    )
  return { matcher: byName(field), properties }
}

/** What state something was in, over time. */
export function states(spec: PanelSpec & { mappings: ValueMapping[] }): Part {
  return panel<StateTimelineOptions, object>('state-timeline', spec, {
    options: {
      legend: { displayMode: LegendDisplayMode.List, placement: 'bottom', showLegend: false, calcs: [] },
      tooltip: { mode: TooltipDisplayMode.Single, sort: SortOrder.None },
      mergeValues: true,
      rowHeight: 0.9,
      showValue: VisibilityMode.Auto,
      alignValue: 'left',
    },
    mappings: spec.mappings,
    color: FieldColorModeId.Thresholds,
    steps: [{ color: 'text', value: null }],
  })
}

/** How often hits took how long, over time: one series per row, or native histograms. */
export function heat(spec: PanelSpec & { native?: boolean }): Part {
  return panel<HeatmapOptions, object>('heatmap', spec, {
    options: {
      calculate: false,
      cellGap: 0,
      color: {
        mode: HeatmapColorMode.Scheme,
        scheme: 'Turbo',
        exponent: 0.5,
        fill: 'dark-orange',
        steps: 64,
        reverse: false,
      },
      exemplars: { color: 'rgba(255,0,255,0.7)' },
      filterValues: { le: 1e-9 },
      legend: { show: true },
      rowsFrame: { layout: 'auto' as never },
      showValue: VisibilityMode.Never,
      tooltip: { mode: TooltipDisplayMode.Single, yHistogram: true, showColorScale: true },
      yAxis: { unit: spec.unit, axisPlacement: AxisPlacement.Left },
    },
  })
}

function graph(stacked: boolean): GraphFieldConfig {
  return {
    drawStyle: GraphDrawStyle.Line,
    lineInterpolation: LineInterpolation.Linear,
    lineWidth: 1,
    fillOpacity: stacked ? 40 : 8,
    showPoints: VisibilityMode.Auto,
    pointSize: 4,
    spanNulls: false,
    stacking: { mode: stacked ? StackingMode.Normal : StackingMode.None, group: 'A' },
  }
}

function legend({ width, height }: PanelSpec): TimeSeriesOptions['legend'] {
  const roomy = width >= 12 && height >= 8
  return {
    displayMode: roomy ? LegendDisplayMode.Table : LegendDisplayMode.List,
    placement: roomy ? 'right' : 'bottom',
    showLegend: true,
    calcs: roomy ? ['lastNotNull', 'max'] : [],
  }
}

function byName(name: string): { id: string; options: string } {
  return { id: 'byName', options: name }
}
