/** esbuild puts what is imported so into dist/webview.css. */
declare module '*.css';
