import type { Frame, FrameLocator, Locator, Page } from 'playwright-core';

/** VS Code's own themes. */
export type Theme = 'dark' | 'light' | 'high-contrast' | 'high-contrast-light';

/** What to open; every part has a default. */
export interface WorkbenchOptions {
  /** The packaged extension, or several. Default: out/ranksmith.vsix */
  readonly vsix?: string | readonly string[];
  /** The folder to open; VS Code works on a copy. Default: media/sample; null: a window without a folder. */
  readonly folder?: string | null;
  /** User settings. */
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly viewport?: { readonly width: number; readonly height: number };
  readonly theme?: Theme;
  /** The activity-bar entry whose appearance tells that the extension has contributed. Default: Ranksmith */
  readonly container?: string;
  /** The language of extensions, as their files name it: zh-cn. VS Code's own texts stay English. Default: en */
  readonly locale?: string;
  /** Opens the folder at this address in the place of `folder`. */
  readonly address?: string;
}

/** A VS Code window with the extension installed. Everything waits up to 30 s for what it needs to appear. */
export interface Workbench {
  readonly page: Page;
  /** The file tree of the explorer. */
  readonly explorer: Locator;
  /** The folder on disk that is open: the copy, so a test may read and change it. */
  readonly workspace: string;
  /** The folder that the extension may keep files in. */
  readonly globalStorage: string;
  /** Looks ten times a second, for half a minute, until there is something; else fails with the sentence. */
  until<T>(what: string, look: () => Promise<T | undefined>): Promise<T>;
  /** Does something up to five times, with more patience (in ms) each time, and Escape in between. */
  again<T>(act: (timeout: number) => Promise<T>): Promise<T>;
  /** The page of the extension that shows an element: pages lie over the workbench, so they are known by what they show. */
  pageWith(selector: string): Promise<Frame>;
  /** Gives the window another theme, and waits until it and all its pages have it. Nothing is touched for that: an open menu stays. */
  wear(theme: Theme): Promise<void>;
  /** Saves out/screenshots/<name>.png and resolves with its path. */
  screenshot(name: string): Promise<string>;
  /** The row of a file in the explorer. */
  file(name: string): Locator;
  /** Opens a file from the explorer and waits for its tab. */
  openFile(name: string): Promise<void>;
  /** Shows a view container by the label of its activity-bar entry; leaves it alone if it is visible. */
  openContainer(label: string): Promise<void>;
  /** A view (a pane of the side bar or panel) by the start of its title. */
  view(title: string): Locator;
  /** The first row of a tree view whose accessible name contains the text or matches the pattern. */
  row(viewTitle: string, text: string | RegExp): Locator;
  /** Expands that row, if it is not expanded already. */
  expand(viewTitle: string, text: string | RegExp): Promise<void>;
  /** The texts of all visible rows of a tree view, white space collapsed. */
  rows(viewTitle: string): Promise<string[]>;
  /** Runs a command through the palette by its full title, for example `Ranksmith: Refresh`. */
  runCommand(title: string): Promise<void>;
  /** The labels of the context menu of an explorer file (by name) or of any element; closes it again. */
  menuEntries(item: string | Locator): Promise<string[]>;
  /** Opens the context menu of an explorer file (by name) or of any element and clicks an entry. */
  contextMenu(item: string | Locator, entry: string | RegExp): Promise<void>;
  /** Waits for a notification that contains the text; its buttons are `getByRole('button', { name })` in it. */
  notification(text: string | RegExp): Promise<Locator>;
  /** The content of the extension's webview: of the first, or of the first that is a view or an editor. */
  webviewFrame(purpose?: 'webviewView' | 'customEditor'): FrameLocator;
  /** Runs the action; if it fails, saves a screenshot and the server's log, and names the former in the error. */
  attempt<T>(name: string, action: () => Promise<T>): Promise<T>;
  /** Ends the browser and the server and removes their data. */
  close(): Promise<void>;
}

/** Starts a VS Code server with the packaged extension and opens a folder in it, in Chromium. */
export function openWorkbench(options?: WorkbenchOptions): Promise<Workbench>;
