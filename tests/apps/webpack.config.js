// The dev server behind a tunnel: whatever Host it is asked for, and the page
// finds its WebSocket where the page came from.
module.exports = {
	mode: "development",
	devtool: false,
	entry: "./index.js",
	output: { publicPath: "/" },
	performance: { hints: false },
	devServer: {
		host: "127.0.0.1",
		port: Number(process.env.PORT),
		allowedHosts: "all",
		client: { webSocketURL: "auto://0.0.0.0:0/ws" },
		static: { directory: __dirname, watch: false },
		hot: "only",
	},
};
