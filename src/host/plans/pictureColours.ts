/** The kinds of colour themes that VS Code knows. */
export type PictureTheme = 'dark' | 'light' | 'high-contrast' | 'high-contrast-light';

/** The colours of a picture. Text and marks stand out from the ground by at least 4.5 to 1 (WCAG 2.2, 1.4.3). */
export interface PictureColours {
  readonly ground: string;
  readonly border: string;
  readonly text: string;
  readonly axis: string;
  /** Only helps the eye along. */
  readonly grid: string;
  /** Laid over the part of a plot where nothing is saved; only helps the eye along. */
  readonly shade: string;
  readonly curve: string;
  readonly planned: string;
  readonly suggested: string;
  readonly breakEven: string;
  readonly evbmf: string;
}

/**
 * An image can't see the theme's variables, so it brings its own ground: whatever colours a theme has, what is on the
 * picture can be read.
 */
export const PICTURE_COLOURS: Readonly<Record<PictureTheme, PictureColours>> = {
  dark: {
    ground: '#1f1f1f',
    border: '#454545',
    text: '#d4d4d4',
    axis: '#9d9d9d',
    grid: '#383838',
    shade: '#f1707b22',
    curve: '#4fb3ff',
    planned: '#ffcf4a',
    suggested: '#7bd88f',
    breakEven: '#f1707b',
    evbmf: '#c9a0ff',
  },
  light: {
    ground: '#ffffff',
    border: '#c8c8c8',
    text: '#3b3b3b',
    axis: '#616161',
    grid: '#e5e5e5',
    shade: '#b5201014',
    curve: '#0061b0',
    planned: '#8a4a00',
    suggested: '#17702f',
    breakEven: '#b52010',
    evbmf: '#7337ac',
  },
  'high-contrast': {
    ground: '#000000',
    border: '#6fc3df',
    text: '#ffffff',
    axis: '#ffffff',
    grid: '#4d4d4d',
    shade: '#ff8a8a33',
    curve: '#5cc8ff',
    planned: '#ffe14a',
    suggested: '#7cff9b',
    breakEven: '#ff8a8a',
    evbmf: '#d9b8ff',
  },
  'high-contrast-light': {
    ground: '#ffffff',
    border: '#0f4a85',
    text: '#000000',
    axis: '#292929',
    grid: '#c4c4c4',
    shade: '#9b101024',
    curve: '#004a8f',
    planned: '#703b00',
    suggested: '#0d5a22',
    breakEven: '#9b1010',
    evbmf: '#5c2490',
  },
};
