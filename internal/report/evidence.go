package report

// evidence says in plain words what a piece of evidence means, by its code:
// English, Japanese. The value seen is added behind it.
var evidence = map[string][2]string{
	"stratum.method":            {"It used a command that only mining has", "採掘にしかない命令を使いました"},
	"stratum.call":              {"It asked for work the way miners ask", "採掘プログラムと同じ方法で仕事を求めました"},
	"stratum.login":             {"It logged in the way miners log in to a pool", "採掘プールへのログインと同じ形でログインしました"},
	"stratum.keepalived":        {"It kept its connection open the way miners do", "採掘プログラムと同じ方法で接続を保ちました"},
	"stratum.agent":             {"It named itself as mining software", "採掘プログラムの名前を名乗りました"},
	"stratum.protocol":          {"It asked for a mining protocol by name", "採掘用の通信方式を名指しで求めました"},
	"stratum.wallet":            {"It logged in with an address that coins are paid to", "コインの受け取り先アドレスでログインしました"},
	"stratum.algorithm":         {"It offered the calculations that mining uses", "採掘に使う計算の種類を示しました"},
	"stratum.worker":            {"It named itself as one worker of a miner", "採掘の作業者名を名乗りました"},
	"stratum.job":               {"The other side handed out mining work", "相手が採掘の仕事を渡しました"},
	"stratum.job_hex":           {"The work has the form of a block to be mined", "仕事の中身が採掘するブロックの形をしています"},
	"stratum.share":             {"It handed in results of mining", "採掘の結果を渡しました"},
	"stratum.share_hex":         {"The results have the form of mined ones", "結果の中身が採掘の結果の形をしています"},
	"stratum.notify":            {"The other side handed out mining work", "相手が採掘の仕事を渡しました"},
	"stratum.submit":            {"It handed in results of mining", "採掘の結果を渡しました"},
	"stratum.authorize":         {"It logged in with a worker's name and password", "作業者名とパスワードでログインしました"},
	"stratum.setting":           {"The other side set how hard to mine", "相手が採掘の難しさを決めました"},
	"stratum.subscribed":        {"The other side subscribed it to mining work", "相手が採掘の仕事の配信を始めました"},
	"stratum.extranonce":        {"The other side gave it its part of the search", "相手が探索の分担を割り当てました"},
	"stratum.work":              {"The other side handed out mining work", "相手が採掘の仕事を渡しました"},
	"stratum.boundary":          {"The work says how hard to mine", "仕事に採掘の難しさが書かれています"},
	"stratum.work_height":       {"The work names the block to be mined", "仕事に採掘するブロックの番号が書かれています"},
	"stratum.work_again":        {"Work came again and again, equally hard", "同じ難しさの仕事が続けて渡されました"},
	"stratum.eth_share":         {"It handed in results of mining", "採掘の結果を渡しました"},
	"stratum.eth_hashrate":      {"It reported how fast it mines", "採掘の速さを報告しました"},
	"stratum.answer":            {"The other side answered as a pool answers", "相手が採掘プールと同じ答えを返しました"},
	"stratum.kept_alive":        {"The other side answered as a pool answers", "相手が採掘プールと同じ答えを返しました"},
	"stratum.template_ask":      {"It asked for a block to mine", "採掘するブロックを求めました"},
	"stratum.template":          {"The other side handed out a block to mine", "相手が採掘するブロックを渡しました"},
	"stratum.block":             {"It handed in a mined block", "採掘したブロックを渡しました"},
	"stratum.work_data":         {"The other side handed out mining work", "相手が採掘の仕事を渡しました"},
	"stratum.site_key":          {"A web page's miner logged in with the site's key", "ウェブページの採掘プログラムがサイトの鍵でログインしました"},
	"stratum.site_user":         {"It said for whom the page mines", "誰のために採掘するかを伝えました"},
	"stratum.site_goal":         {"It said how much the page shall mine", "どれだけ採掘するかを伝えました"},
	"stratum.authed":            {"The other side let the page's miner in", "相手がウェブページの採掘プログラムを受け入れました"},
	"stratum.accepted":          {"The other side accepted results of mining", "相手が採掘の結果を受け取りました"},
	"stratum.handshake":         {"A web page's miner named its pool and account", "ウェブページの採掘プログラムがプールと口座を伝えました"},
	"stratum.grin":              {"The messages are those of mining Grin", "メッセージが Grin の採掘のものです"},
	"stratum.grin_shape":        {"Their content has the form of mining", "その中身が採掘の形をしています"},
	"stratum.beam":              {"The messages are those of mining Beam", "メッセージが Beam の採掘のものです"},
	"stratum.dero":              {"The messages are those of mining Dero", "メッセージが Dero の採掘のものです"},
	"stratum.dero_hex":          {"Their content has the form of mining", "その中身が採掘の形をしています"},
	"stratum.mining_extensions": {"Its requests ask for mining extensions", "採掘用の拡張を求めました"},
	"stratum.pool_header":       {"The other side answered as a pool answers", "相手が採掘プールと同じ答えを返しました"},
	"stratum.v2_setup":          {"It set up a connection for mining (Stratum V2)", "採掘用の接続（Stratum V2）を始めました"},
	"stratum.v2_frame":          {"The messages have the form of mining (Stratum V2)", "メッセージが採掘（Stratum V2）の形をしています"},
	"stratum.v2_channel":        {"A channel for mining was opened", "採掘用のチャネルが開かれました"},
	"stratum.v2_noise":          {"The encrypted connection began as mining with Stratum V2 begins", "暗号化された接続の始まり方が Stratum V2 の採掘と同じです"},
	"stratum.v2_noise_setup":    {"The first encrypted answer is as long as that of a pool", "最初の暗号化された答えの長さが採掘プールのものと同じです"},
	"stratum.v2_noise_share":    {"Encrypted messages and answers are as long as results of mining", "暗号化されたやり取りの長さが採掘の結果のものと同じです"},
	"stratum.duco_ask":          {"It asked for work the way Duino-Coin miners do", "Duino-Coin の採掘プログラムと同じ方法で仕事を求めました"},
	"stratum.duco_job":          {"The other side handed out Duino-Coin work", "相手が Duino-Coin の仕事を渡しました"},
	"stratum.duco_share":        {"It handed in results of mining Duino-Coin", "Duino-Coin の採掘の結果を渡しました"},
	"farming.partial":           {"It handed in a proof of the disk space it has filled", "埋めたディスク容量の証明を提出しました"},
	"farming.farmer":            {"It signed in at a farming pool", "ファーミングのプールに登録しました"},
	"farming.pool_info":         {"It asked a farming pool for its terms", "ファーミングのプールに条件を尋ねました"},
	"farming.certificate":       {"It uses the certificates of the coin Chia's programs", "通貨 Chia のプログラムの証明書を使っています"},
	"farming.port":              {"The connection is one between Chia's farming programs", "Chia のファーミング用プログラム同士の接続です"},
	"collector.listens":         {"Other devices mine through it", "ほかの機器がこの機器を通して採掘しています"},
	"collector.upstream":        {"It mines for somebody itself", "この機器自身がほかの相手のために採掘しています"},
	"collector.agent":           {"Its software is made to gather miners", "採掘をまとめるためのソフトウェアです"},
	"stratum.height_poll":       {"It kept asking how far the block chain is", "ブロックチェーンの進み具合を何度も尋ねました"},
}

// words returns the sentence for a code, "" when there is none: then the value
// stands alone.
func words(code string, lang Lang) string {
	w, ok := evidence[code]
	switch {
	case !ok:
		return ""
	case lang == Japanese:
		return w[1]
	}
	return w[0]
}
