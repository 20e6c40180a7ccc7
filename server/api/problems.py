"""Every refusal of the API: one catalogue of code, status and words, answered as problem details (RFC 9457).

`type` is `urn:gridbook:problem:<code>`; `detail` is a sentence in the reader's language that says what to do.
"""

from __future__ import annotations

from typing import Any

import orjson
from flask import Request, Response, request
from werkzeug.exceptions import HTTPException

from server.api import complaints
from server.people.permissions import ACTIONS

MEDIA_TYPE = "application/problem+json"

# code: (status, title zh, title en, detail zh, detail en). Details may hold {fields} that the raiser fills.
CATALOGUE: dict[str, tuple[int, str, str, str, str]] = {
    "unauthorized": (
        401, "请先登录", "Sign in first",
        "请登录，或在 Authorization 中给出有效的 API 令牌（Bearer）。",
        "Sign in, or send a valid API token as `Authorization: Bearer …`.",
    ),
    "forbidden": (
        403, "没有权限", "Not allowed",
        "您的角色不允许此操作：{action}。请联系系统管理员。",
        "Your role does not allow this: {action}. Ask the administrator.",
    ),
    "outside-scope": (
        403, "令牌没有此权限", "Not in this token's scopes",
        "您的角色可以{action}，但这个 API 令牌没有 {scope}：请用 flask token create --scope {scope} 另建。",
        "Your role allows this ({action}), but this API token was made without the scope {scope}: make one "
        "with `flask token create --scope {scope}`.",
    ),
    "outside-area": (
        403, "不在您的辖区", "Outside your area",
        "{area} 不在您的辖区（{own}）之内。",
        "{area} lies outside your area ({own}).",
    ),
    "csrf": (
        403, "页面已过期", "The page is out of date",
        "请刷新页面后重试。",
        "Reload the page and try again.",
    ),
    "not-found": (
        404, "没有找到", "Not found",
        "没有这个地址：请核对路径。",
        "There is nothing here: check the path.",
    ),
    "unknown-area": (
        404, "没有这个区域", "No such area",
        "没有代码为 {area} 的镇（街道）或村（社区）。可用 /api/v1/areas 查询代码。",
        "No town or village has the code {area}. /api/v1/areas lists the codes.",
    ),
    "unknown-form": (
        404, "没有这个表单", "No such form",
        "没有编号为 {form} 的表单。可用 /api/v1/forms 查询。",
        "No form is called {form}. /api/v1/forms lists them.",
    ),
    "unknown-table": (
        404, "没有这个子表", "No such table",
        "表单 {form} 没有重复组 {table}。可选：{known}。",
        "The form {form} has no repeat {table}. There are: {known}.",
    ),
    "format-missing": (
        501, "未安装此格式", "Format not installed",
        "服务器未安装 {format} 所需的软件。请系统管理员运行：{how}。",
        "The server lacks what {format} needs. Its administrator installs it with: {how}.",
    ),
    "too-many-rows": (
        422, "行数过多", "Too many rows",
        "共 {count} 行，此格式最多 {most} 行。请缩小日期或区域，或改用 CSV。",
        "There are {count} rows and this format holds {most}. Narrow the days or the area, or take CSV.",
    ),
    "unknown-job": (
        404, "没有这项任务", "No such job",
        "没有这项任务，或它已过期。任务只有下达的人能看到。",
        "There is no such job, or it has expired. Only who ordered a job sees it.",
    ),
    "job-not-done": (
        409, "文件还没有", "No file yet",
        "任务尚未完成，或已取消、失败。请先查看它的进度。",
        "The job is not done, or was cancelled, or failed. Look at its progress first.",
    ),
    "too-many-jobs": (
        429, "任务过多", "Too many jobs",
        "您已有 5 项任务在排队或进行。请等其中一项完成，或取消一项。",
        "You have five jobs that wait or run. Wait until one is done, or cancel one.",
    ),
    "job-disk-full": (
        507, "磁盘已满", "The disk is full",
        "服务器磁盘空间不足，文件没有做成，未留下半个文件。请联系系统管理员。",
        "The server's disk is nearly full; no file was made, no part of one is left. Tell the administrator.",
    ),
    "job-too-large": (
        413, "文件过大", "The file is too large",
        "文件超过 {limit} MB，没有做成。请缩小日期或区域。",
        "The file would be larger than {limit} MB and was not made. Narrow the days or the area.",
    ),
    "job-broken": (
        500, "任务失败", "The job failed",
        "服务器内部出错，没有做成。请重试；再次失败请联系系统管理员。",
        "Something went wrong on the server. Try again; if it fails again, tell the administrator.",
    ),
    "unknown-record": (
        404, "没有这条记录", "No such record",
        "没有编号为 {record} 的记录，或它不在您的辖区。",
        "No record is called {record}, or it lies outside your area.",
    ),
    "unknown-indicator": (
        404, "没有这个指标", "No such indicator",
        "没有编号为 {indicator} 的指标。可用 /api/v1/indicators 查询。",
        "No indicator is called {indicator}. /api/v1/indicators lists them.",
    ),
    "no-such-side": (
        422, "这个指标没有这个数", "No such number",
        "指标 {indicator} 没有这样的数：of 须是它有的数值、分子或分母，part 须是它的分项，"
        "没有总数的须给出 part；累计指标没有七日数。",
        "{indicator} has no such number: `of` is value, numerator or denominator, as far as it has them; "
        "`part` is one of its parts, needed where it has only parts; what is cumulative has no `week`.",
    ),
    "unknown-grid": (
        404, "没有这个网格", "No such grid",
        "{area} 没有代码为 {grid} 的网格；网格须与所属村（社区）一起给出。",
        "{area} has no grid {grid}; a grid is asked for with its village.",
    ),
    "unknown-device": (
        404, "没有这台设备", "No such device",
        "没有这台设备，或它不在您的辖区。",
        "There is no such device, or it lies outside your area.",
    ),
    "unknown-attachment": (
        404, "没有这个附件", "No such attachment",
        "这条记录没有该附件，或尚未传完。",
        "The record has no such attachment, or it has not arrived yet.",
    ),
    "device-revoked": (
        409, "手机已停用", "The phone is revoked",
        "已停用的手机不能换村。请为它生成新的入网码，重新入网。",
        "A revoked phone cannot be moved. Make an enrolment code and enrol it again.",
    ),
    "unknown-staff": (
        404, "没有此人", "No such person",
        "没有此人，或其辖区不在您的辖区之内。",
        "There is nobody of this id, or their area lies outside yours.",
    ),
    "staff-refused": (
        422, "用户名不合要求", "The user name will not do",
        "用户名须有 1～64 个可见字符，首尾不能有空格。",
        "A user name has 1 to 64 printable characters, without spaces at its ends.",
    ),
    "staff-taken": (
        409, "用户名已被占用", "The user name is taken",
        "已有人使用用户名 {username}，请换一个。",
        "There is already somebody called {username}. Choose another name.",
    ),
    "staff-self": (
        409, "不能停用自己", "Not yourself",
        "不能停用自己的账号，请另一位系统管理员来做。",
        "You cannot deactivate yourself: ask another administrator.",
    ),
    "staff-disabled": (
        409, "账号已停用", "The account is deactivated",
        "请先启用此账号，再给密码码。",
        "Reactivate the account before you give it a password code.",
    ),
    "password-code": (
        422, "密码没有改", "The password was not set",
        "用户名或密码码不对，或码已用过、已过期。请核对，或向系统管理员要一个新的。",
        "The user name or the code is wrong, or the code was used or has expired. Check, or ask for another.",
    ),
    "password-weak": (
        422, "密码不合要求", "The password will not do",
        "密码须有 {least}～{most} 个字符。",
        "A password has {least} to {most} characters.",
    ),
    "code-unknown": (
        404, "没有这个入网码", "No such enrolment code",
        "请核对入网码的 8 个字符；仍不行请向镇（街道）要一个新的。",
        "Check the eight characters; if they are right, ask your town office for a fresh code.",
    ),
    "code-gone": (
        410, "入网码已失效", "The enrolment code is spent",
        "此入网码{state}。每个码只能用一次，请向镇（街道）要一个新的。",
        "This enrolment code {state}. A code works once; ask your town office for a fresh one.",
    ),
    "device-unauthorized": (
        401, "此手机未获授权", "This phone has no access",
        "设备令牌缺失、未知、已过期或已被停用。请用新的入网码重新入网；手机上未上传的记录不会丢失。",
        "The device token is missing, unknown, expired or revoked. "
        "Enrol again with a fresh code; records on the phone are kept.",
    ),
    "method-not-allowed": (
        405, "不支持此方法", "Method not allowed",
        "此地址不支持 {method}。",
        "This address does not take {method}.",
    ),
    "too-large": (
        413, "内容过大", "Too large",
        "提交的内容超过服务器上限（{limit} MB），没有保存。名单或表格请只留需要的工作表，或分成几个文件。",
        "The body is larger than the server takes ({limit} MB); nothing was kept. "
        "Of a workbook keep only the sheet that is needed, or split it.",
    ),
    "bad-request": (
        400, "请求格式有误", "Malformed request",
        "请求不是有效的 JSON，或格式不符。",
        "The request is not valid JSON or has the wrong form.",
    ),
    "invalid": (
        422, "参数有误", "Invalid parameters",
        "请按 errors 中的说明改正。",
        "Correct what `errors` names.",
    ),
    "bad-cursor": (
        422, "游标无效", "Invalid cursor",
        "cursor 已损坏，或来自另一个查询。请不带 cursor 从第一页重新开始，并保持其他参数不变。",
        "The cursor is damaged or comes from another query. Start again without it.",
    ),
    "too-wide": (
        422, "要查的太多", "Too much to search",
        "这个条件要查的记录太多，几秒内查不完，已停止。请选定镇、村或日期范围，或换一个条件。",
        "The filters would read too many records to answer within seconds; it was broken off. "
        "Choose a town, a village or fewer days, or filter by something else.",
    ),
    "reason-missing": (
        422, "请说明理由", "Give a reason",
        "不脱敏导出须在 reason 中写明用途（4～200 字），并会留下记录。",
        "An export in full needs its purpose in `reason` (4 to 200 characters); it is put on record.",
    ),
    "unknown-unit": (
        404, "没有这个对象", "No such entry",
        "台账 {register} 中没有编号为 {unit} 的对象，或它不在您的辖区。",
        "The register {register} has no entry {unit}, or it lies outside your area.",
    ),
    "several-units": (
        409, "几个村都有这个编号", "Several villages have it",
        "编号 {unit} 在这些村（社区）都有：{villages}。请用 area（页面地址中用 village）指明是哪个村。",
        "Several villages have an entry {unit}: {villages}. Name one with `area` (`village` for a page).",
    ),
    "no-history": (
        404, "没有历次记录", "No history",
        "台账 {register} 的条目没有历次记录。可选：{known}。",
        "Entries of the register {register} have no history. There are: {known}.",
    ),
    "not-counted": (
        404, "本区没有统计", "Not counted here",
        "本区的指标定义（indicators.json）没有统计这一项。",
        "This district's indicators.json counts nothing of this kind.",
    ),
    "unknown-register": (
        404, "没有这个台账", "No such register",
        "没有名为 {register} 的台账。可选：{known}。",
        "No register is called {register}. There are: {known}.",
    ),
    "replaced": (
        409, "此记录已被更正", "This record was replaced",
        "它已被更正后的记录取代，请审核最新的一版。",
        "A correction has replaced it: review the latest version.",
    ),
    "comment-missing": (
        422, "请写明退回意见", "Give a comment",
        "退回时须写明哪里要改（2～500 字），网格员会在手机上看到。",
        "Say what is to be corrected (2 to 500 characters); the volunteer reads it on the phone.",
    ),
    "void-reason": (
        422, "请写明作废原因", "Say why",
        "作废须写明原因（2～500 字），会留下记录，网格员会在手机上看到。",
        "A void needs its reason (2 to 500 characters); it is kept, and the volunteer reads it on the phone.",
    ),
    "voided-already": (
        409, "已经作废", "Voided already",
        "{by} 已于 {at} 作废这条记录：{reason}",
        "{by} voided this record at {at}: {reason}",
    ),
    "not-voided": (
        409, "没有作废", "Not voided",
        "工作人员没有作废这条记录，无可撤销。网格员自己撤回的记录请由其重新填报。",
        "Staff have not voided this record. What a volunteer withdrew has to be filled again.",
    ),
    "unknown-pair": (
        404, "没有这一对记录", "No such pair",
        "没有这一对疑似重复的记录，或其中一条不在您的辖区。",
        "There is no such pair of records, or one of them lies outside your area.",
    ),
    "pair-decided": (
        409, "别人刚决定过", "Somebody was quicker",
        "{by} 已于 {at} 决定：{what}。您的决定没有执行；如不同意，请看过之后再决定。",
        "{by} decided at {at}: {what}. Nothing was done; look again before you decide otherwise.",
    ),
    "pair-gone": (
        409, "已不再是疑似重复", "No longer a pair",
        "其中一条已被作废、撤回或更正，现在没有可决定的。",
        "One of the two was voided, withdrawn or corrected meanwhile: there is nothing to decide.",
    ),
    "unknown-exception": (
        404, "没有这个异常", "No such exception",
        "没有这个异常，或它不在您的辖区；也可能数据已变，它自己消失了。请回到异常列表。",
        "There is no such exception in your area, or the data moved and it is gone. Go back to the list.",
    ),
    "exception-moved": (
        409, "别人刚处理过", "Somebody was quicker",
        "您打开之后别人处理过这个异常，您的操作没有执行。请看最新的处理过程后再决定。",
        "Somebody did something about it after you opened it; nothing was done. See the steps, then decide.",
    ),
    "exception-state": (
        409, "现在不能这样处理", "Not possible now",
        "已办结的异常只能重新打开，未办结的不能重新打开。",
        "A resolved exception can only be reopened, and one that is not resolved cannot be.",
    ),
    "note-missing": (
        422, "请写明情况", "Write a note",
        "备注、办结、重新打开须写明情况（2～500 字），会留下记录。",
        "A note, a resolution and a reopening need words (2 to 500 characters); they are kept.",
    ),
    "unknown-owner": (
        422, "不能交给此人", "Not to this person",
        "请选择辖区内可以处理异常的工作人员。",
        "Choose somebody who may handle exceptions there.",
    ),
    "nil-future": (
        422, "不能登记将来的日子", "A day to come",
        "{day} 还没有到，不能登记零报告。",
        "{day} is still to come: nothing can be said about it.",
    ),
    "nil-no-village": (
        422, "不是村（社区）", "Not a village",
        "{area} 当日不是在用的村（社区）。零报告按村登记。",
        "{area} is no village on that day. Nil reports are of villages.",
    ),
    "nil-reported": (
        409, "当日已有记录", "There are records of the day",
        "该村 {day} 已有计入统计的记录，算已报，不能再登记零报告。",
        "Records of {day} count in the village: it has reported.",
    ),
    "nil-said": (
        409, "已经登记零报告", "Said already",
        "{name} 已于 {at} 登记该村零报告。",
        "{name} entered the village's nil report at {at}.",
    ),
    "nil-not-said": (
        409, "没有零报告可撤回", "Nothing to take back",
        "该村当日没有登记零报告。",
        "The village has no nil report on that day.",
    ),
    "nil-moved": (
        409, "刚有人改过", "Somebody was quicker",
        "另一位工作人员刚改了该村的零报告，请刷新后再看。",
        "Somebody else has just changed the village's nil report. Look again.",
    ),
    "nil-too-often": (
        409, "改动过多", "Changed too often",
        "一个村一天的零报告最多改 {count} 次。",
        "A village's nil report of one day can be changed {count} times.",
    ),
    "bulletin-unknown": (
        404, "没有这一号日报", "No such bulletin",
        "没有编号为 {number} 的日报。可用 /api/v1/bulletins 查询。",
        "No bulletin has the number {number}. /api/v1/bulletins lists them.",
    ),
    "bulletin-exists": (
        409, "当日日报已发布", "The day's bulletin is frozen already",
        "{name} 已于 {at} 发布第 {number} 号。发布后不能改；如有错误，请在该号页面出更正号。",
        "{name} froze it at {at} as number {number}. It cannot be undone: make a correction of it.",
    ),
    "bulletin-too-early": (
        409, "还没到截止时间", "Before the cut-off",
        "截止时间是 {cut_off}（北京时间），过后几秒即可发布。现在可以查看临时数据。",
        "The cut-off is {cut_off}, Beijing time; it can be frozen some seconds later. There is a preview.",
    ),
    "bulletin-replaced": (
        409, "此号已被更正", "This bulletin was corrected",
        "第 {number} 号已被第 {by} 号替代，请更正第 {by} 号。",
        "Number {number} was replaced by {by}: correct that one.",
    ),
    "bulletin-reason": (
        422, "请说明更正原因", "Say why",
        "更正号须写明原因（4～200 字），它会印在日报上。",
        "A correction needs its reason (4 to 200 characters); it is printed on the bulletin.",
    ),
    "bulletin-behind": (
        503, "数据还没算完", "Not everything is counted yet",
        "截止前收到的记录还没有全部入账（{db}），没有发布。请过一会儿再按一次。",
        "Records of before the cut-off are still being taken in ({db}); nothing was frozen. Try again soon.",
    ),
    "bulletin-rebuilding": (
        503, "数字正在重算", "The figures are being made again",
        "指标口径或数据库换过，正在重算全部数字（{until}），没有发布，以免发出旧口径的数字。请等完成后再按一次。",
        "The figures are being made again by another declaration ({until}); nothing was frozen, "
        "lest old ones go out. Try again then.",
    ),
    "bulletin-sums": (
        503, "合计不符", "The parts do not sum up",
        "指标 {indicator} 在 {area} 的分项与合计不符，没有发布。"
        "请把这句话告诉系统管理员（flask readmodel rebuild）。",
        "The parts of {indicator} in {area} do not sum to its total; nothing was frozen. "
        "Tell the administrator (flask readmodel rebuild).",
    ),
    "bulletin-cutoff": (
        503, "截止时间设置有误", "The cut-off is not set right",
        "区级设置 report_cutoff 是 {given}，应为 HH:MM，例如 16:00。请系统管理员改正后重新发布表单设置。",
        "The district setting report_cutoff is {given}: write HH:MM, such as 16:00, and publish it again.",
    ),
    "bulletin-no-district": (
        503, "还没有区划", "There is no district yet",
        "还没有导入区、镇、村。请系统管理员先导入区划。",
        "No areas have been imported. Ask the administrator to import them first.",
    ),
    "unknown-sheet": (
        404, "没有这个表", "No such sheet",
        "没有名为 {sheet} 的表。可选：{known}。",
        "No sheet is called {sheet}. There are: {known}.",
    ),
    "sheet-too-long": (
        422, "表太长", "The sheet is too long",
        "超过一张工作表的行数上限。请按镇（街道）或村分别导出，或用 CSV 导出。",
        "There are more rows than a sheet can hold. Export town by town, or as CSV.",
    ),
    "rebuild-under-way": (
        409, "已在重算", "A rebuild is under way",
        "重算已在进行或已排上，没有再要求一次。请等它完成，或先取消。",
        "A rebuild was asked for already, or runs. Wait until it is done, or cancel it first.",
    ),
    "rebuild-not-asked": (
        409, "没有可取消的重算", "No rebuild to cancel",
        "没有人要求重算。汇总库过时而自动进行的重算不能取消。",
        "Nobody asked for a rebuild. One that has to be made, as the read model is out of date, goes on.",
    ),
    "list-unknown": (
        404, "没有这份名单", "No such list",
        "没有编号为 {list} 的名单。可用 /api/v1/lists 查询。",
        "No list has the number {list}. /api/v1/lists lists them.",
    ),
    "list-row-unknown": (
        404, "名单里没有这一行", "No such row",
        "名单 {list} 的第 {row} 行不是要核查的人，或不在您的辖区。",
        "Row {row} of the list {list} is nobody to be found, or lies outside your area.",
    ),
    "list-template-unknown": (
        404, "没有这种名单", "No such kind of list",
        "没有名为 {template} 的名单模板。可选：{known}。",
        "No template is called {template}. There are: {known}.",
    ),
    "list-refused": (
        422, "名单读不了", "The list cannot be read",
        "{reason}。什么也没有导入。",
        "{reason}. Nothing was imported.",
    ),
    "list-no-table": (
        422, "没有找到名单的表头", "No heads of a list",
        "{reason}。什么也没有导入。",
        "{reason}. Nothing was imported.",
    ),
    "list-file-missing": (
        422, "没有选文件", "No file",
        "请选择要导入的 .xlsx 或 .csv 文件（表单字段 file）。",
        "Choose the .xlsx or .csv file to import (the form's field `file`).",
    ),
    "list-draft-gone": (
        410, "上传的文件已清除", "The uploaded file is gone",
        "上传的文件只保留一天，没有导入。请重新选择文件。",
        "An upload is kept for a day; nothing was imported. Choose the file again.",
    ),
    "list-exists": (
        409, "这份名单已导入", "The list is there already",
        "同一个文件已于 {at} 导入为名单 {list}，没有再导入一次。上级更正后的新文件可以作为它的更正导入。",
        "The same file was imported as list {list} on {at}; it was not imported again. "
        "A corrected file can be imported in its place.",
    ),
    "list-superseded": (
        409, "这份名单已被更正", "The list was corrected",
        "名单 {list} 已被更正后的名单 {by} 取代，请在那里继续。",
        "The corrected list {by} has replaced {list}: go on there.",
    ),
    "list-outcome-unknown": (
        422, "没有这种核查结果", "No such outcome",
        "没有名为 {outcome} 的核查结果。可选：{known}。",
        "No outcome is called {outcome}. There are: {known}.",
    ),
    "list-candidate-unknown": (
        422, "不是这一行的疑似人员", "No candidate of this row",
        "{candidate} 不是这一行的疑似人员。请刷新页面，或重新比对名单。",
        "{candidate} is no candidate of this row. Reload the page, or match the list again.",
    ),
    "list-decided-meanwhile": (
        409, "别人刚核查过", "Somebody else decided meanwhile",
        "第 {row} 行刚刚被别人（或系统比对）改过，您的没有保存。请看过最新结果后再定。",
        "Row {row} was decided by somebody else (or by the match) meanwhile; yours was not kept. Look again.",
    ),
    "list-as-of-future": (
        422, "截止时间还没到", "The moment is yet to come",
        "截止时间 {at} 还没到，不能按它答复。",
        "An answer cannot be as of {at}, which is yet to come.",
    ),
    "list-answer-unknown": (
        404, "没有这一号答复", "No such answer",
        "名单 {list} 没有第 {answer} 号答复。",
        "The list {list} has no answer {answer}.",
    ),
    "webhook-unknown": (
        404, "没有这个推送", "No such webhook",
        "没有这个推送，它可能已被删除。可用 /api/v1/webhooks 查询。",
        "There is no such webhook; it may have been removed. /api/v1/webhooks lists them.",
    ),
    "webhook-too-many": (
        409, "推送太多", "Too many webhooks",
        "最多 {most} 个推送。请先删除不用的。",
        "There are {most} webhooks at most: remove one that is not needed.",
    ),
    "webhook-url": (
        422, "推送地址不能用", "This address cannot be used",
        "推送地址{why}。",
        "The webhook's address {why}.",
    ),
    "webhook-off": (
        409, "推送已停用", "The webhook is off",
        "停用的推送不发送。请先启用。",
        "A webhook that is off sends nothing: switch it on first.",
    ),
    "too-many-requests": (
        429, "请求过多", "Too many requests",
        "请稍后再试。",
        "Try again in a while.",
    ),
    "internal": (
        500, "服务器出错", "The server failed",
        "数据没有丢失。请稍后重试；若一再出现，请把时间 {moment} 告诉系统管理员。",
        "Nothing is lost. Try again later; if it goes on, tell the administrator the time {moment}.",
    ),
}  # fmt: skip

_CODES_BY_STATUS = {
    400: "bad-request", 401: "unauthorized", 403: "forbidden", 404: "not-found", 405: "method-not-allowed",
    413: "too-large", 415: "bad-request", 422: "invalid", 429: "too-many-requests",
}  # fmt: skip


class Problem(Exception):
    """A refusal out of the catalogue. `errors` maps a parameter to its complaints."""

    def __init__(self, code: str, *, errors: dict[str, Any] | None = None, **fields: Any) -> None:
        super().__init__(code)
        self.code = code
        self.errors = errors
        self.fields = fields

    @property
    def status(self) -> int:
        return CATALOGUE[self.code][0]

    def words(self, language: str) -> tuple[str, str]:
        """(title, detail) in zh or en."""
        _, title_zh, title_en, detail_zh, detail_en = CATALOGUE[self.code]
        title, detail = (title_zh, detail_zh) if language == "zh" else (title_en, detail_en)
        if self.code == "invalid" and self.errors:
            return title, complaints.sentences(self.errors, language) or detail
        fields = {name: _in(language, value) for name, value in self.fields.items()}
        return title, detail.format(**fields) if fields else detail


def _in(language: str, value: Any) -> Any:
    """A field's words: {"zh", "en"} as given, the name of an action as the table of permissions words it."""
    if isinstance(value, str) and value in ACTIONS:
        return ACTIONS[value][0 if language == "zh" else 1]
    return value.get(language, value) if isinstance(value, dict) else value


def language_of(incoming: Request) -> str:
    return incoming.accept_languages.best_match(["zh", "en"], default="zh") or "zh"


def details(problem: Problem, language: str) -> dict[str, Any]:
    """The body of an answer that refuses."""
    title, detail = problem.words(language)
    body: dict[str, Any] = {
        "type": f"urn:gridbook:problem:{problem.code}",
        "title": title,
        "status": problem.status,
        "detail": detail,
        "code": problem.code,
    }
    if problem.errors:
        body["errors"] = complaints.localized(problem.errors, language)
    return body


def response(problem: Problem) -> Response:
    body = details(problem, language_of(request))
    answer = Response(orjson.dumps(body), problem.status, content_type=MEDIA_TYPE)
    answer.headers["Vary"] = "Accept-Language, Authorization, Cookie"
    answer.headers["Cache-Control"] = "no-store"
    if problem.status == 401:
        answer.headers["WWW-Authenticate"] = 'Bearer realm="gridbook"'
    return answer


def from_http(error: HTTPException) -> Problem:
    """The problem for an error that Flask, webargs or flask-smorest raised."""
    code = _CODES_BY_STATUS.get(
        error.code or 500, "internal" if (error.code or 500) >= 500 else "bad-request"
    )
    if code == "forbidden":
        return Problem(code, action=request.path)
    if code == "too-large":
        return Problem(code, limit=f"{(request.max_content_length or 0) / (1 << 20):g}")
    if code == "method-not-allowed":
        return Problem(code, method=request.method)
    return Problem(code, errors=_errors(error))


def _errors(error: HTTPException) -> dict[str, Any] | None:
    data = getattr(error, "data", None) or {}
    messages = data.get("messages") if isinstance(data, dict) else None
    return messages if isinstance(messages, dict) else None
