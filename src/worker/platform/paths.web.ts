export { basename, dirname, extname, join, relative } from './webPaths';
